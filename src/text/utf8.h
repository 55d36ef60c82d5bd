#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace rune::text {

/// What stands at a place of a text: a character, or bytes that are none.
struct Decoded {
  char32_t character = 0;       // U+FFFD where there is none
  std::size_t length = 1;       // bytes; of what is none, as many as Unicode counts for one mistake
  const char* wrong = nullptr;  // "a byte that starts no character": why it is none
};
Decoded decode_long(std::string_view bytes, std::size_t offset);  // of one in any number of bytes, or of none
inline Decoded decode_at(std::string_view bytes, std::size_t offset) {
  const auto lead = static_cast<unsigned char>(bytes[offset]);
  if (lead < 0x80) return {lead};
  if (lead >= 0xC2 && lead < 0xE0 && offset + 1 < bytes.size()) {  // the letters of most alphabets: in two bytes
    const auto second = static_cast<unsigned char>(bytes[offset + 1]);
    if ((second & 0xC0) == 0x80) return {(lead & 0x1Fu) << 6 | (second & 0x3Fu), 2};
  }
  return decode_long(bytes, offset);
}

/// A byte that is part of no character is this and itself where characters are numbers: a low surrogate, which no text
/// has.
constexpr char32_t kLoneByte = 0xDC00;

/// Decodes UTF-8 to code points. Invalid input (bad lead or continuation byte, overlong form, surrogate, beyond
/// U+10FFFF, cut off at the end) throws InputError naming `name` and the byte offset.
std::u32string decode_utf8(std::string_view bytes, const std::string& name);

/// Appends the UTF-8 form of one code point.
void append_utf8(std::string& out, char32_t code_point);
std::string encode_utf8(std::u32string_view code_points);
/// The bytes of a character, or the one that is part of none (kLoneByte).
std::string bytes_of(char32_t character);

/// Bytes that are no character as U+FFFD.
std::string replace_invalid(std::string_view bytes);

/// Characters in a text; a byte that is part of none counts as one.
std::size_t count_characters(std::string_view bytes);
/// Characters in a text that has no such bytes.
std::size_t count_valid_characters(std::string_view text);

/// How many bytes at the end may be the beginning of a character.
std::size_t unfinished(std::string_view bytes);

/// Puts bytes that come in pieces together to whole characters; bytes that are none are let through as they are.
class WholeCharacters {
 public:
  /// What is whole now; nothing while a character is still unfinished.
  [[nodiscard]] std::string add(std::string_view bytes);
  /// The beginning of a character that was never finished.
  std::string take_rest() { return std::exchange(begun_, {}); }

 private:
  std::string begun_;
};

/// A code point for a message: its glyph where it is printable, always with its number: 'é' (U+00E9).
std::string describe(char32_t code_point);
/// The same for a unit: a word in quotes, a byte by its number.
std::string describe_unit(std::string_view unit);

/// Control characters (except newline and tab) as visible escapes (\x1b), so that text a model wrote cannot drive a
/// terminal; what is no character as U+FFFD.
std::string escape_controls(std::string_view bytes);

}  // namespace rune::text
