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
    for (std::size_t i = 0; i < grams_.size(); ++i) {
      const bool new_context = i == 0 || grams_[i].first != grams_[i - 1].first;
      if (new_context) contexts_.push_back({.hash = grams_[i].first, .begin = i});
      if (new_context || grams_[i].second != grams_[i - 1].second) ++contexts_.back().kinds;
    }
    contexts_.push_back({.begin = grams_.size()});
  }

  /// The probability of a token after a context, of which the last tokens count; `lower`: that of the order below.
  [[nodiscard]] double probability(std::span<const std::int32_t> before, std::int32_t token, double lower) const {
    if (before.size() < length_) return lower;
    const std::uint64_t hash = hash_of(before.last(length_));
    const auto known = std::span(contexts_).first(contexts_.size() - 1);
    const auto context = std::ranges::lower_bound(known, hash, {}, &Context::hash);
    if (context == known.end() || context->hash != hash) return lower;
    const auto seen = std::span(grams_).subspan(context->begin, (context + 1)->begin - context->begin);
    const auto kinds = static_cast<double>(context->kinds);
    const auto same = std::ranges::equal_range(seen, token, {}, &Gram::second);
    return (static_cast<double>(same.size()) + kinds * lower) / (static_cast<double>(seen.size()) + kinds);
  }

 private:
  struct Context {
    std::uint64_t hash = 0;
    std::size_t begin = 0;  // of its grams; they end where the next one's begin
    std::size_t kinds = 0;  // of tokens that follow
  };

  std::size_t length_;
  std::vector<Gram> grams_;        // sorted
  std::vector<Context> contexts_;  // in their order, and one behind the last
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
