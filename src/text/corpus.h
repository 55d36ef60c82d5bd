#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  std::vector<std::int32_t> train;       // see split_point
  std::vector<std::int32_t> validation;  // the tail; empty if the fraction is 0
  std::string hash;  // 32 hexadecimal digits, XXH3-128 over the code points (little-endian UTF-32) of the whole text

  static Corpus from_text(std::u32string_view text, double validation_fraction);
  /// With a given vocabulary (resume): unknown characters are errors.
  static Corpus from_text(std::u32string_view text, double validation_fraction, Vocabulary vocabulary);
};

/// Number of training characters, as the notebooks cut: int(size * (1 - fraction)) in double arithmetic.
/// 1,985,223 characters at 0.1 give 1,786,700.
std::size_t split_point(std::size_t size, double validation_fraction);

}  // namespace rune::text
