#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <rune/options.h>
#include <rune/vocabulary.h>

namespace rune {

/// How the loss over a text is measured.
struct EvaluationOptions {
  Protocol protocol{};        ///< one carried state over the whole text, unless said otherwise
  int sequence_length = 100;  ///< rows: characters of a window
  bool skip_unknown = false;  ///< leave out characters that the model does not know, instead of throwing
  int threads = 0;            ///< 0: one for each processor this process may use
};

/// The loss of a model over a text.
struct Evaluation {
  double loss = 0;                ///< nats per character
  double bits_per_character = 0;  ///< loss / ln 2
  double perplexity = 0;          ///< exp(loss)
  std::int64_t characters = 0;    ///< how many predictions were counted
};

/// A character-level recurrent language model: weights and alphabet.
///
/// A model owns its weights. Const functions are thread-safe, so a model that nobody trains is shared freely between
/// threads; while a Trainer runs on it, only that trainer's thread may use it. Movable, not copyable.
class Model {
 public:
  /// A new model with freshly drawn weights, a function of options, vocabulary and seed alone. Throws InputError
  /// naming the option that does not fit.
  Model(const ModelOptions& options, const Vocabulary& vocabulary, std::uint64_t seed = 1);
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  /// A .safetensors file, or a run directory: its best checkpoint, the last one without validation. Throws FileError,
  /// or InputError when the file holds no model or a damaged one.
  static Model load(const std::filesystem::path& path);
  /// Replaces the file as a whole or, on a FileError, not at all.
  void save(const std::filesystem::path& path) const;

  [[nodiscard]] const ModelOptions& options() const;
  [[nodiscard]] const Vocabulary& vocabulary() const;
  [[nodiscard]] std::int64_t parameter_count() const;

  /// Measures a text. Throws InputError for invalid UTF-8, an unknown character, or a text too short for the protocol.
  [[nodiscard]] Evaluation evaluate(std::string_view utf8, const EvaluationOptions& options = {}) const;

 private:
  friend class Trainer;
  friend class Generator;
  struct Parts;
  explicit Model(std::shared_ptr<Parts> parts);
  std::shared_ptr<Parts> parts_;
};

}  // namespace rune
