#include "text/ngrams.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "text/tokens.h"

namespace rune::text {
namespace {

/// A context and the token after it, by hashes of 64 bits: two that collide are no matter for a mean.
using Gram = std::pair<std::uint64_t, std::int32_t>;

/// What follows the contexts of one length.
class Order {
 public:
  Order(std::span<const std::int32_t> tokens, std::size_t length) : length_(length) {
    for (std::size_t i = length; i < tokens.size(); ++i) {
      grams_.emplace_back(hash_of(tokens.subspan(i - length, length)), tokens[i]);
    }
    std::ranges::sort(grams_);
  }

  /// The probability of a token after a context, of which the last tokens count; `lower`: that of the order below.
  [[nodiscard]] double probability(std::span<const std::int32_t> before, std::int32_t token, double lower) const {
    if (before.size() < length_) return lower;
    const std::uint64_t context = hash_of(before.last(length_));
    const auto seen = std::ranges::equal_range(grams_, context, {}, &Gram::first);
    if (seen.empty()) return lower;
    double kinds = 1;
    for (std::size_t i = 1; i < seen.size(); ++i) kinds += seen[i].second != seen[i - 1].second ? 1 : 0;
    const auto same = std::ranges::equal_range(seen, token, {}, &Gram::second);
    return (static_cast<double>(same.size()) + kinds * lower) / (static_cast<double>(seen.size()) + kinds);
  }

 private:
  std::size_t length_;
  std::vector<Gram> grams_;
};

}  // namespace

std::vector<double> ngram_entropies(std::span<const std::int32_t> train, std::span<const std::int32_t> test,
                                    int vocabulary_size, int orders) {
  std::vector<double> probabilities(test.size(), 1.0 / vocabulary_size);
  std::vector<double> entropies;
  for (int length = 0; length <= orders; ++length) {
    const Order order(train, static_cast<std::size_t>(length));
    double sum = 0;
    for (std::size_t i = 0; i < test.size(); ++i) {
      probabilities[i] = order.probability(test.first(i), test[i], probabilities[i]);
      sum -= std::log2(probabilities[i]);
    }
    entropies.push_back(sum / static_cast<double>(test.size()));
  }
  return entropies;
}

}  // namespace rune::text
