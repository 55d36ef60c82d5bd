#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rune/model.h>
#include <rune/options.h>

namespace rune {

/// Writes text with a model.
///
/// A generator keeps the weights that the model had when it was made, and need not be outlived by the model. A text is
/// a function of weights, prompt, length and options alone: the same call writes the same text, on any number of
/// threads. Immutable, cheap to copy, thread-safe.
class Generator {
 public:
  /// Called with the UTF-8 of each new character; false ends the text.
  using OnCharacter = std::function<bool(const std::string& character)>;

  /// Throws InputError naming the option that is out of range.
  explicit Generator(const Model& model, const SampleOptions& options = {});

  /// The `length` characters that follow the prompt (fewer if `options.stop` comes first), without the prompt itself.
  /// An empty prompt means the beginning of a line. Throws InputError if the prompt is not UTF-8 or holds a character
  /// that the model does not know.
  [[nodiscard]] std::string write(std::string_view prompt, int length) const;
  /// The same, character by character, as it is made.
  void write(std::string_view prompt, int length, const OnCharacter& on_character) const;
  /// Several texts at once, faster than one after the other. The first is the one that write() gives.
  [[nodiscard]] std::vector<std::string> write_several(std::string_view prompt, int length, int count) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace rune
