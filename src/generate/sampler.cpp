#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

namespace rune::generate {
namespace {

void require(bool condition, const char* option, const auto& value, const char* allowed) {
  if (!condition) throw InputError(fmt::format("{} must be {}, found {}", option, allowed, value));
}

}  // namespace

Sampler::Sampler(const SampleOptions& options, std::vector<std::int32_t> never)
    : options_(options), never_(std::move(never)) {
  require(options.temperature >= 0 && std::isfinite(options.temperature), "temperature", options.temperature,
          "a number of at least 0");
  require(options.top_k >= 0, "top_k", options.top_k, "at least 0 (0: all)");
  require(options.window >= 0, "window", options.window, "at least 0 (0: none)");
  require(options.threads >= 0, "threads", options.threads, "at least 0 (0: one for each processor)");
  require(options.top_p > 0 && options.top_p <= 1, "top_p", options.top_p, "above 0 and at most 1");
}

// 1. the tokens that may be drawn; top-k: the k first in the order of probability
// 2. weights of what is kept: the softmax times a constant, the largest being 1
// 3. top-p: the shortest run, in the order of probability, that reaches its share of their sum
// 4. the token at which the running sum, in the order of tokens, passes the uniform number's share
int Sampler::draw(std::span<const float> logits, double uniform) {
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    throw InputError("the model's logits are not finite: its weights are too large or damaged");
  }
  const auto logit = [&](std::int32_t token) { return logits[static_cast<std::size_t>(token)]; };
  const auto more_probable = [&](std::int32_t a, std::int32_t b) {
    return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
  };
  order_.resize(logits.size());
  std::iota(order_.begin(), order_.end(), 0);
  for (const std::int32_t token : never_) std::erase(order_, token);
  const std::int32_t best = *std::ranges::min_element(order_, more_probable);
  if (options_.temperature == 0) return best;
  const auto top_k = static_cast<std::size_t>(options_.top_k);
  if (top_k != 0 && top_k < order_.size()) {
    std::nth_element(order_.begin(), order_.begin() + options_.top_k, order_.end(), more_probable);
    order_.resize(top_k);
  }

  weights_.resize(logits.size());
  const auto weight = [&](std::int32_t token) -> double& { return weights_[static_cast<std::size_t>(token)]; };
  const auto total_weight = [&] {
    double total = 0;
    for (const std::int32_t token : order_) total += weight(token);
    return total;
  };
  for (const std::int32_t token : order_) {
    weight(token) = std::exp((static_cast<double>(logit(token)) - logit(best)) / options_.temperature);
  }

  if (options_.top_p < 1) {
    std::ranges::sort(order_, more_probable);
    const double enough = options_.top_p * total_weight();
    double sum = 0;
    const auto last =
        std::ranges::find_if(order_, [&](std::int32_t token) { return (sum += weight(token)) >= enough; });
    order_.erase(last == order_.end() ? last : last + 1, order_.end());
  }

  std::ranges::sort(order_);
  const double share = uniform * total_weight();
  double sum = 0;
  const auto drawn = std::ranges::find_if(order_, [&](std::int32_t token) { return (sum += weight(token)) > share; });
  return drawn == order_.end() ? order_.back() : *drawn;
}

}  // namespace rune::generate
