#pragma once

#include <string>
#include <string_view>

namespace rune::text {

/// Decodes UTF-8 to code points. Invalid input (bad lead or continuation byte, overlong form, surrogate, beyond
/// U+10FFFF, cut off at the end) throws InputError naming `name` and the byte offset.
std::u32string decode_utf8(std::string_view bytes, const std::string& name);

/// Appends the UTF-8 form of one code point.
void append_utf8(std::string& out, char32_t code_point);
std::string encode_utf8(std::u32string_view code_points);

/// A code point for a message: its glyph where it is printable, always with its number: 'é' (U+00E9).
std::string describe(char32_t code_point);

/// Control characters (except newline and tab) as visible escapes (\x1b), so that text a model wrote cannot drive a
/// terminal.
std::string escape_controls(std::string_view utf8);

}  // namespace rune::text
