#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/random.h"

namespace rune::text {

/// Fisher and Yates's shuffle, a function of the stream alone: element i is exchanged with one of those up to it.
inline void shuffle(std::span<std::int32_t> values, const RandomStream& random) {
  for (std::size_t i = values.size(); i-- > 1;) {
    const auto other = static_cast<std::size_t>(random.uniform_double(i) * static_cast<double>(i + 1));
    std::swap(values[i], values[other]);
  }
}

}  // namespace rune::text
