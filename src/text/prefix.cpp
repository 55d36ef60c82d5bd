#include "text/prefix.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr std::uint64_t kEachByte = 0x0101010101010101;
constexpr std::uint64_t kHigh = 0x80 * kEachByte;

bool is_high(char byte) { return static_cast<unsigned char>(byte) >= 0x80; }

// Eight bytes, the first one lowest.
std::uint64_t eight_at(std::string_view bytes, std::size_t at) {
  std::uint64_t eight = 0;
  std::memcpy(&eight, bytes.data() + at, sizeof eight);
  return std::endian::native == std::endian::little ? eight : __builtin_bswap64(eight);
}

// How many of eight bytes stand before the first one beyond ASCII.
std::size_t plain_bytes(std::uint64_t eight) { return static_cast<std::size_t>(std::countr_zero(eight & kHigh)) / 8; }

// How far there are characters of one or two bytes alone, the letters of most alphabets. Where the ones end and the
// others begin is a matter of chance, which no branch could foresee.
std::size_t short_prefix(std::string_view bytes) {
  std::size_t at = 0;
  std::uint64_t expected = 0;  // the high bit of the next byte, where a character has begun with the last one
  for (; at + sizeof expected <= bytes.size(); at += sizeof expected) {
    const std::uint64_t eight = eight_at(bytes, at);
    const std::uint64_t first = eight & (eight << 1) & kHigh;                    // 11xxxxxx
    const std::uint64_t second = (eight & kHigh) ^ first;                        // 10xxxxxx
    const std::uint64_t longer = first & (eight << 2);                           // 111xxxxx
    const std::uint64_t enough = (eight & 0x1E * kEachByte) + 0x7E * kEachByte;  // not 1100000x
    const std::uint64_t wrong = (second ^ (first << 8 | expected)) | longer | (first & ~enough);
    if (wrong != 0) break;
    expected = first >> 56;
  }
  return expected != 0 ? at - 1 : at;
}

}  // namespace

std::size_t ascii_prefix(std::string_view bytes) {
  // Stretches are short where every other word has a letter beyond ASCII: eight bytes at a time.
  std::size_t at = 0;
  for (; at + sizeof kHigh <= bytes.size(); at += sizeof kHigh) {
    if (const std::size_t plain = plain_bytes(eight_at(bytes, at)); plain < sizeof kHigh) return at + plain;
  }
  while (at < bytes.size() && !is_high(bytes[at])) ++at;
  return at;
}

std::size_t valid_prefix(std::string_view bytes) {
  std::size_t at = short_prefix(bytes);
  while (at < bytes.size()) {
    do {  // what ended it, and all that stands behind it and is as long
      const Decoded next = decode_at(bytes, at);
      if (next.wrong != nullptr) return at;
      at += next.length;
    } while (at < bytes.size() && is_high(bytes[at]));
    at += short_prefix(bytes.substr(at));
  }
  return at;
}

std::size_t take_characters(std::string_view& text, std::span<char32_t> characters) {
  std::size_t at = 0;
  std::size_t count = 0;
  const auto take_one = [&] {
    const Decoded next = decode_at(text, at);
    const bool valid = next.wrong == nullptr;
    characters[count++] = valid ? next.character : byte_as_character(text[at]);
    at += valid ? next.length : 1;
  };
  while (count + sizeof kHigh <= characters.size() && at + sizeof kHigh <= text.size()) {
    // All eight are written; those from the first one beyond ASCII on are then written over.
    for (std::size_t i = 0; i < sizeof kHigh; ++i) characters[count + i] = static_cast<unsigned char>(text[at + i]);
    const std::size_t plain = plain_bytes(eight_at(text, at));
    at += plain;
    count += plain;
    if (plain == sizeof kHigh) continue;
    do take_one();
    while (count < characters.size() && at < text.size() && is_high(text[at]));
  }
  while (count < characters.size() && at < text.size()) take_one();
  text.remove_prefix(at);
  return count;
}

}  // namespace rune::text
