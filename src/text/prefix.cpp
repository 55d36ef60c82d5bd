#include "text/prefix.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "text/utf8.h"

namespace rune::text {
namespace {

bool is_high(char byte) { return static_cast<unsigned char>(byte) >= 0x80; }

}  // namespace

std::size_t ascii_prefix(std::string_view bytes) {
  // Stretches are short where every other word has a letter beyond ASCII: eight bytes at a time.
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= bytes.size(); at += sizeof eight) {
    std::memcpy(&eight, bytes.data() + at, sizeof eight);
    if constexpr (std::endian::native == std::endian::big) eight = __builtin_bswap64(eight);
    if (const std::uint64_t high = eight & kHigh; high != 0)
      return at + static_cast<std::size_t>(std::countr_zero(high)) / 8;
  }
  while (at < bytes.size() && !is_high(bytes[at])) ++at;
  return at;
}

std::size_t valid_prefix(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (!is_high(bytes[at])) {
      at += ascii_prefix(bytes.substr(at));
      continue;
    }
    const Decoded next = decode_at(bytes, at);
    if (next.wrong != nullptr) break;
    at += next.length;
  }
  return at;
}

}  // namespace rune::text
