#pragma once

#include <cstddef>
#include <string_view>

/// How much of a text is plain: so that most of it is treated by the block, not by the character.
namespace rune::text {

/// The bytes in front of the first that `is_wanted` is true of. Whole blocks are looked at without a branch, so that
/// the compiler makes vectors of them.
std::size_t length_before(std::string_view bytes, const auto& is_wanted) {
  constexpr std::size_t kWidth = 64;
  std::size_t at = 0;
  for (; at + kWidth <= bytes.size(); at += kWidth) {
    unsigned char found = 0;
    for (std::size_t i = 0; i < kWidth; ++i) found |= static_cast<unsigned char>(is_wanted(bytes[at + i]));
    if (found != 0) break;
  }
  while (at < bytes.size() && !is_wanted(bytes[at])) ++at;
  return at;
}

/// How many bytes at the beginning are ASCII.
std::size_t ascii_prefix(std::string_view bytes);
/// How many bytes at the beginning are whole characters.
std::size_t valid_prefix(std::string_view bytes);

}  // namespace rune::text
