#include "text/utf8.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <rune/error.h>

namespace rune::text {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }
bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }
bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Whether all eight bytes are ASCII.
bool are_ascii(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return (word & 0x8080808080808080) == 0;
}

[[noreturn]] void fail(const std::string& name, std::size_t offset, const std::string& found) {
  throw InputError("'" + name + "', byte " + std::to_string(offset) + ": expected UTF-8 text, found " + found +
                   "; convert the text to UTF-8 first");
}

/// Decodes the character at `offset`, which is not ASCII, and moves the offset behind it.
char32_t decode_long(std::string_view bytes, std::size_t& offset, const std::string& name) {
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};  // by length
  const auto lead = static_cast<unsigned char>(bytes[offset]);
  const std::size_t length = lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
  if (length == 0) fail(name, offset, "a byte that starts no character");
  char32_t c = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (offset + i == bytes.size()) fail(name, offset, "a character cut off by the end");
    if (!is_continuation(bytes[offset + i])) fail(name, offset, "an incomplete character");
    c = c << 6 | (static_cast<unsigned char>(bytes[offset + i]) & 0x3Fu);
  }
  if (c < kSmallest[length]) fail(name, offset, "a character in more bytes than it needs");
  if (is_surrogate(c)) fail(name, offset, "half of a UTF-16 surrogate pair");
  if (c > kLastCodePoint) fail(name, offset, "a number beyond the last character");
  offset += length;
  return c;
}

/// Whether a terminal shows a glyph for it and nothing else happens.
bool is_printable(char32_t c) {
  if (is_control(c) || is_surrogate(c) || c > kLastCodePoint) return false;
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  const bool formatting = c == 0xAD || c == 0x61C || c == 0xFEFF || in(0x200B, 0x200F) || in(0x2028, 0x202E) ||
                          in(0x2060, 0x206F) || in(0xFFF9, 0xFFFB) || in(0xE0000, 0xE0FFF);
  const bool private_use = in(0xE000, 0xF8FF) || c >= 0xF0000;
  const bool no_character = in(0xFDD0, 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
  return !formatting && !private_use && !no_character;
}

}  // namespace

std::u32string decode_utf8(std::string_view bytes, const std::string& name) {
  // No character without a byte that is not a continuation: room enough also for text that turns out invalid.
  const auto characters = std::count_if(bytes.begin(), bytes.end(), [](char byte) { return !is_continuation(byte); });
  std::u32string text(static_cast<std::size_t>(characters), U'\0');
  char32_t* out = text.data();
  constexpr std::size_t kStride = 8;
  for (std::size_t i = 0; i < bytes.size();) {
    if (i + kStride <= bytes.size() && are_ascii(&bytes[i])) {
      for (std::size_t k = 0; k < kStride; ++k) out[k] = static_cast<unsigned char>(bytes[i + k]);
      out += kStride;
      i += kStride;
    } else if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      *out++ = static_cast<unsigned char>(bytes[i++]);
    } else {
      *out = decode_long(bytes, i, name);
      ++out;
    }
  }
  return text;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto continuation = [&](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += {static_cast<char>(0xC0 | code_point >> 6), continuation(0)};
  } else if (code_point < 0x10000) {
    out += {static_cast<char>(0xE0 | code_point >> 12), continuation(6), continuation(0)};
  } else {
    out += {static_cast<char>(0xF0 | code_point >> 18), continuation(12), continuation(6), continuation(0)};
  }
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string bytes;
  bytes.reserve(code_points.size());
  for (const char32_t c : code_points) append_utf8(bytes, c);
  return bytes;
}

std::string describe(char32_t code_point) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string digits;
  for (char32_t rest = code_point; rest != 0 || digits.size() < 4; rest >>= 4) digits += kDigits[rest & 0xF];
  std::reverse(digits.begin(), digits.end());
  std::string number = "U+" + digits;
  if (!is_printable(code_point)) return number;
  std::string glyph;
  append_utf8(glyph, code_point);
  return "'" + glyph + "' (" + number + ")";
}

std::string escape_controls(std::string_view utf8) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    auto c = static_cast<unsigned char>(utf8[i]);
    // U+0080 to U+009F, which some terminals obey as well, are the byte C2 and one of the same value.
    if (c == 0xC2 && i + 1 < utf8.size() && is_control(static_cast<unsigned char>(utf8[i + 1]))) {
      c = static_cast<unsigned char>(utf8[++i]);
    } else if (c >= 0x80 || !is_control(c) || c == '\n' || c == '\t') {
      out += utf8[i];
      continue;
    }
    out += {'\\', 'x', kDigits[c >> 4], kDigits[c & 0xF]};
  }
  return out;
}

}  // namespace rune::text
