#include "text/text_hash.h"

#include <bit>

namespace rune::text {

void TextHash::add(std::span<const char32_t> characters) {
  const auto update = [this](std::span<const char32_t> in_order) {
    hash_.update({reinterpret_cast<const char*>(in_order.data()), in_order.size_bytes()});
  };
  if constexpr (std::endian::native == std::endian::little) {
    update(characters);
  } else {
    for (const char32_t character : characters) update({{static_cast<char32_t>(__builtin_bswap32(character))}});
  }
}

}  // namespace rune::text
