#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace rune::test {

using Tokens = std::vector<std::int32_t>;

/// Token i is i, so that every position can be told from every other.
inline Tokens positions(std::size_t count) {
  Tokens tokens(count);
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

inline Tokens copy(std::span<const std::int32_t> tokens) { return {tokens.begin(), tokens.end()}; }

}  // namespace rune::test
