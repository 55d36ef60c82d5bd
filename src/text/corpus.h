#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>

#include "text/vocabulary.h"

namespace rune::text {

/// The characters of one text: decode_utf8, CRLF as LF, a byte order mark at the start dropped.
std::u32string decode_text(std::string_view bytes, const std::string& name);

/// The characters of one or more UTF-8 files, one after the other. CRLF becomes LF; a byte order mark at a file's start
/// is dropped.
/// Throws FileError or InputError (file and byte offset); an empty result is an InputError.
std::u32string read_text(std::span<const std::filesystem::path> paths);

/// A text as tokens, split into training and validation.
struct Corpus {
  Vocabulary vocabulary;
  std::vector<std::int32_t> train;
  std::vector<std::int32_t> validation;  // empty without validation, and where windows of `train` are split instead
  std::string hash;  // 32 hexadecimal digits, XXH3-128 over the code points (little-endian UTF-32) of the whole text
  TextOptions options{};
  // Of records, each <BOS> ... <EOS>: where they end in the tokens. Empty for a running text.
  std::vector<std::size_t> train_ends{};
  std::vector<std::size_t> validation_ends{};

  /// The alphabet is made of the text as the options say: symbols first (<unk>, <pad>, <BOS>, <EOS>), then characters.
  /// Where there is a <unk>, characters are counted in the training part alone.
  static Corpus from_text(std::u32string_view text, const TextOptions& options);
  /// With a given alphabet (resume): unknown characters are errors, unless it has <unk>.
  static Corpus from_text(std::u32string_view text, const TextOptions& options, Vocabulary vocabulary);

  [[nodiscard]] std::int64_t size() const { return std::ssize(train) + std::ssize(validation); }
};

/// Number of training characters, as the notebooks cut: int(size * (1 - fraction)) in double arithmetic.
/// 1,985,223 characters at 0.1 give 1,786,700.
std::size_t split_point(std::size_t size, double validation_fraction);

}  // namespace rune::text
