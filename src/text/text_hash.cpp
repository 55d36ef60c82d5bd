#include "text/text_hash.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "text/prefix.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr char32_t kNoCharacter = 0xDC00;  // low surrogates, which no text has

constexpr std::uint32_t little_endian(std::uint32_t value) {
  return std::endian::native == std::endian::little ? value : __builtin_bswap32(value);
}

}  // namespace

void TextHash::add(std::string_view text) {
  std::array<std::uint32_t, 4096> buffer;  // code points, the lowest byte first
  while (!text.empty()) {
    std::size_t used = ascii_prefix(text.substr(0, buffer.size()));
    for (std::size_t i = 0; i < used; ++i) buffer[i] = little_endian(static_cast<unsigned char>(text[i]));
    text.remove_prefix(used);
    for (; used < buffer.size() && !text.empty(); ++used) {
      const Decoded next = decode_at(text, 0);
      const bool valid = next.wrong == nullptr;
      buffer[used] = little_endian(valid ? next.character : kNoCharacter + static_cast<unsigned char>(text.front()));
      text.remove_prefix(valid ? next.length : 1);
    }
    hash_.update({reinterpret_cast<const char*>(buffer.data()), used * sizeof(std::uint32_t)});
  }
}

}  // namespace rune::text
