#include "text/utf8.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <rune/error.h>

#include "text/prefix.h"

namespace rune::text {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;
constexpr char32_t kReplacement = 0xFFFD;

bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }
bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }
bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

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

// A mistake is as long as what could have been the beginning of a character (Unicode 15, table 3-8).
Decoded decode_long(std::string_view bytes, std::size_t offset) {
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};  // by length
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[offset + i]); };
  const unsigned char lead = byte(0);
  const auto none = [](std::size_t length, const char* wrong) { return Decoded{kReplacement, length, wrong}; };
  const std::size_t length = lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
  if (length == 0) return none(1, "a byte that starts no character");
  char32_t c = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (offset + i == bytes.size()) return none(i, "a character cut off by the end");
    if (!is_continuation(bytes[offset + i])) return none(i, "an incomplete character");
    c = c << 6 | (byte(i) & 0x3Fu);
    if (i > 1) continue;
    // The first two bytes tell that no character can come of them.
    const char32_t least = c << (6 * (length - 2));
    const char32_t greatest = least | ((1u << (6 * (length - 2))) - 1);
    if (greatest < kSmallest[length]) return none(1, "a character in more bytes than it needs");
    if (is_surrogate(least) && is_surrogate(greatest)) return none(1, "half of a UTF-16 surrogate pair");
    if (least > kLastCodePoint) return none(1, "a number beyond the last character");
  }
  return {c, length, nullptr};
}

std::u32string decode_utf8(std::string_view bytes, const std::string& name) {
  std::u32string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const Decoded decoded = decode_at(bytes, i);
    if (decoded.wrong != nullptr) {
      throw InputError("'" + name + "', byte " + std::to_string(i) + ": expected UTF-8 text, found " + decoded.wrong);
    }
    text += decoded.character;
    i += decoded.length;
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

std::string bytes_of(char32_t character) {
  std::string bytes;
  if (character >= kLoneByte && character <= kLoneByte + 0xFF) {
    bytes += static_cast<char>(character - kLoneByte);
  } else {
    append_utf8(bytes, character);
  }
  return bytes;
}

std::string replace_invalid(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const Decoded decoded = decode_at(bytes, i);
    append_utf8(out, decoded.character);
    i += decoded.length;
  }
  return out;
}

std::size_t count_valid_characters(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, is_continuation));
}

std::size_t count_characters(std::string_view bytes) {
  std::size_t count = 0;
  while (!bytes.empty()) {
    const std::size_t valid = valid_prefix(bytes);
    count += count_valid_characters(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    ++count;
    bytes.remove_prefix(1);
  }
  return count;
}

std::size_t unfinished(std::string_view bytes) {
  constexpr std::size_t kLongest = 4;
  for (std::size_t length = 1; length < kLongest && length <= bytes.size(); ++length) {
    const std::size_t start = bytes.size() - length;
    if (is_continuation(bytes[start])) continue;
    const auto lead = static_cast<unsigned char>(bytes[start]);
    const bool begins = lead >= 0xC2 && lead <= 0xF4;
    const Decoded decoded = decode_at(bytes, start);
    return begins && decoded.wrong != nullptr && decoded.length == length ? length : 0;
  }
  return 0;
}

std::string WholeCharacters::add(std::string_view bytes) {
  std::string whole = take_rest().append(bytes);
  begun_ = whole.substr(whole.size() - unfinished(whole));
  whole.resize(whole.size() - begun_.size());
  return whole;
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

std::string describe_unit(std::string_view unit) {
  if (unit.empty()) return "nothing";
  const Decoded first = decode_at(unit, 0);
  if (first.wrong == nullptr && first.length == unit.size()) return describe(first.character);
  if (first.wrong != nullptr) return "the byte " + std::to_string(static_cast<unsigned char>(unit[0]));
  return "'" + escape_controls(unit) + "'";
}

std::string escape_controls(std::string_view bytes) {
  const std::string utf8 = replace_invalid(bytes);
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
