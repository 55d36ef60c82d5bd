#pragma once

#include <span>
#include <string>

#include "base/hash.h"

namespace rune::text {

/// XXH3-128 over the characters (little-endian UTF-32) of a text that comes piece by piece; a byte that is part of no
/// character counts as U+DC00 and itself.
class TextHash {
 public:
  /// As for_characters (prefix.h) gives them.
  void add(std::span<const char32_t> characters);
  /// 32 hexadecimal digits.
  [[nodiscard]] std::string digits() const { return hash_.digits(); }

 private:
  Hash hash_;
};

}  // namespace rune::text
