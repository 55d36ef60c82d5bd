#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "text/utf8.h"

/// How much of a text is plain, and its characters: by the block, since most of a text is plain.
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

/// A byte as a character of its own: ASCII, or kLoneByte and itself.
constexpr char32_t byte_as_character(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x80 ? value : kLoneByte + value;
}

/// Takes characters from the front of a text, as many as there is room for, and returns how many: their code points,
/// and byte_as_character for one that is part of none.
std::size_t take_characters(std::string_view& text, std::span<char32_t> characters);
/// Calls visit(characters) for all of a text, block by block.
void for_characters(std::string_view text, const auto& visit) {
  std::array<char32_t, 4096> characters;
  while (!text.empty()) visit(std::span<const char32_t>(characters).first(take_characters(text, characters)));
}

}  // namespace rune::text
