#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "format/safetensors.h"
#include "model/network.h"
#include "text/vocabulary.h"

namespace rune::model {

/// A network and the alphabet it speaks.
struct Model {
  text::Vocabulary vocabulary;
  Network network;
};

/// A model of freshly drawn parameters: a function of its arguments alone. Throws InputError for options that do not
/// fit.
Model new_model(const ModelOptions& options, text::Vocabulary vocabulary, std::uint64_t seed);
/// A model of its own with the same weights.
Model copy_of(const Model& original);

/// 32 hexadecimal digits of all that its predictions depend on: cell, sizes, alphabet, weights; not of the file that it
/// is in.
std::string digest(const Model& model);

/// JSON forms, used in checkpoints; unknown keys, wrong types and out-of-range values are InputErrors naming `where`.
std::string to_json(const ModelOptions& options);
std::string to_json(const TextForm& form);
ModelOptions model_options_from_json(const std::string& json, const std::string& where);

/// The tensors (PyTorch's names and shapes, borrowed) and metadata (`rune.format`, `rune.model`: JSON,
/// `rune.vocabulary`: JSON array of code points, longer units as texts, bytes that are no text as arrays, and symbols
/// by name; `rune.text`: JSON, the form of its texts where it is not the default) of a model.
std::vector<format::TensorView> tensors_of(const Parameters& parameters);
format::Metadata metadata_of(const ModelOptions& options, const text::Vocabulary& vocabulary);

/// Whether a file's metadata says what model it holds.
bool describes_model(const format::SafetensorsFile& file);
/// Takes a model out of a file; every tensor's shape is checked, non-finite weights are refused. Other tensors
/// (`optimizer.*`, `state.*`, `raw.*`) are ignored here; anything else unknown is refused.
Model model_from(const format::SafetensorsFile& file, Purpose purpose = Purpose::training,
                 const kernels::Kernels& kernels = kernels::kernels());
/// The model of a file for inference, computing in a precision.
Model load_model(const std::filesystem::path& path, Precision precision = Precision::f32);
void save_model(const std::filesystem::path& path, const Model& model);

}  // namespace rune::model
