#pragma once

#include <string>

#include "model/model.h"

namespace rune::model {

/// The model as an ONNX file (opset 13), to be stepped through or given whole texts:
///   inputs   tokens (sequence, batch) int64; hidden (layers, batch, H) and, LSTM only, cell: the state before
///   outputs  logits (sequence, batch, alphabet); next_hidden and next_cell: the state after
/// Weights keep their values, in ONNX's gate orders. The file's metadata_props are those of a model file, with
/// `rune.vocabulary` for the alphabet. Throws InputError for a cell that ONNX has no operator for, and for a model
/// above the 2 GB that such a file may have.
std::string to_onnx(const Model& model);

}  // namespace rune::model
