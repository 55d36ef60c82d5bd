#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"

namespace rune::text {

/// XXH3-128 over the code points (little-endian UTF-32) of a text that comes piece by piece; a byte that is part of no
/// character counts as U+DC00 and itself.
class TextHash {
 public:
  void add(std::string_view text);
  /// 32 hexadecimal digits.
  [[nodiscard]] std::string digits() const { return hash_.digits(); }

 private:
  Hash hash_;
};

}  // namespace rune::text
