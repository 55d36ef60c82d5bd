#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>

namespace rune {

/// How a corpus is made of a text.
using CorpusOptions = TextOptions;

/// A text to train on: its alphabet, and its characters split into training and validation.
///
/// Characters are Unicode code points; CRLF becomes LF. Immutable, cheap to copy (copies share the text), thread-safe.
class Corpus {
 public:
  /// Reads one or more UTF-8 files, one after the other. Throws FileError, or InputError naming file and byte where
  /// the text is not UTF-8, and when there is no text at all.
  static Corpus open(const std::filesystem::path& path, const CorpusOptions& options = {});
  static Corpus open(const std::vector<std::filesystem::path>& paths, const CorpusOptions& options = {});
  /// The same from memory.
  static Corpus from_text(std::string_view utf8, const CorpusOptions& options = {});

  /// The alphabet of a model for this text: symbols, then characters. Entries from U+110000 on are the symbols <unk>,
  /// <pad>, <BOS> and <EOS>.
  [[nodiscard]] const std::u32string& vocabulary() const;
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
