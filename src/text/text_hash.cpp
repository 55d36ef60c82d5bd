#include "text/text_hash.h"

#include <array>
#include <cstddef>

#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr char32_t kNoCharacter = 0xDC00;  // low surrogates, which no text has

}  // namespace

void TextHash::add(std::string_view text) {
  std::array<char, 16384> buffer;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode_at(text, at);
    const bool valid = next.wrong == nullptr;
    const char32_t c = valid ? next.character : kNoCharacter + static_cast<unsigned char>(text[at]);
    for (int shift = 0; shift < 32; shift += 8) buffer[used++] = static_cast<char>(c >> shift);
    at += valid ? next.length : 1;
    if (used == buffer.size()) {
      hash_.update({buffer.data(), used});
      used = 0;
    }
  }
  hash_.update({buffer.data(), used});
}

}  // namespace rune::text
