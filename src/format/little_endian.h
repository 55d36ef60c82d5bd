#pragma once

#include <cstdint>
#include <string_view>

namespace rune::format {

/// The number that these bytes, 8 of them at most, are in little-endian order.
inline std::uint64_t from_little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace rune::format
