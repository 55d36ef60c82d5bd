#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generate/range_coder.h"

namespace rune::generate {

/// The frequencies of symbols as they have come so far, learned by both directions alike. Not thread-safe.
class AdaptiveModel {
 public:
  /// A symbol that has never come counts 1, each time that it came `weight` more.
  explicit AdaptiveModel(std::size_t symbols, std::uint32_t weight = 2) : counts_(symbols, 1), weight_(weight) {}

  std::size_t code(SymbolCoder& coder, std::size_t symbol) {
    symbol = coder.code(counts_, total(), symbol);
    counts_[symbol] += weight_;
    if (total() > kMost)
      for (std::uint32_t& count : counts_) count = (count + 1) / 2;
    return symbol;
  }
  /// One symbol more.
  void grow() { counts_.push_back(weight_); }
  [[nodiscard]] std::size_t size() const { return counts_.size(); }

 private:
  static constexpr std::uint64_t kMost = 1 << 17;
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint32_t count : counts_) sum += count;
    return sum;
  }

  std::vector<std::uint32_t> counts_;
  std::uint32_t weight_;
};

}  // namespace rune::generate
