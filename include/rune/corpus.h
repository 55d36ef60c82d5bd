#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>
#include <rune/vocabulary.h>

namespace rune {

/// How a corpus is made of a text.
using CorpusOptions = TextOptions;

/// A text to train on: its alphabet, and its tokens split into training and validation.
///
/// Tokens stand for the units that the options name. Immutable, cheap to copy (copies share the text), thread-safe.
class Corpus {
 public:
  /// Reads one or more texts, one after the other: files in any encoding, directories, archives, what is compressed.
  /// Throws FileError, or InputError naming file and byte where bytes are no character, and when there is no text.
  static Corpus open(const std::filesystem::path& path, const CorpusOptions& options = {});
  static Corpus open(const std::vector<std::filesystem::path>& paths, const CorpusOptions& options = {});
  /// The same from memory.
  static Corpus from_text(std::string_view utf8, const CorpusOptions& options = {});

  /// The alphabet of a model for this text: symbols, then units.
  [[nodiscard]] const Vocabulary& vocabulary() const;
  /// Tokens in all, and those of the validation split (none where windows are split).
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] std::int64_t validation_size() const;

 private:
  friend class Trainer;
  struct Parts;
  explicit Corpus(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace rune
