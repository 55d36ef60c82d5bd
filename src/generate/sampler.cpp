#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "kernels/kernels.h"

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

// 1. weights of all tokens: the softmax times a constant, the largest being 1
// 2. top-k: the k first in the order of probability; top-p: the shortest run, in that order, that reaches its share
// 3. the token at which the running sum, in the order of tokens, passes the uniform number's share
int Sampler::draw(std::span<const float> logits, double uniform) {
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    throw InputError("the model's logits are not finite: its weights are too large or damaged");
  }
  allow_all_of(logits.size());
  const auto logit = [&](std::int32_t token) { return logits[static_cast<std::size_t>(token)]; };
  const std::int32_t best = *std::ranges::max_element(allowed_, {}, logit);
  if (options_.temperature == 0) return best;

  weights_.resize(logits.size());
  kernels::kernels().exponentials(logits.data(), logits.size(), logit(best), 1 / options_.temperature, weights_.data());
  const auto weight = [&](std::int32_t token) {
    return static_cast<double>(weights_[static_cast<std::size_t>(token)]);
  };
  const auto add = [&](double sum, std::int32_t token) { return sum + weight(token); };

  std::span<const std::int32_t> tokens = allowed_;
  if ((options_.top_k != 0 && static_cast<std::size_t>(options_.top_k) < allowed_.size()) || options_.top_p < 1) {
    order_ = allowed_;
    std::ranges::sort(
        order_, [&](std::int32_t a, std::int32_t b) { return logit(a) != logit(b) ? logit(a) > logit(b) : a < b; });
    if (options_.top_k != 0) order_.resize(std::min(order_.size(), static_cast<std::size_t>(options_.top_k)));
    if (options_.top_p < 1) {
      const double enough = options_.top_p * std::accumulate(order_.begin(), order_.end(), 0.0, add);
      double sum = 0;
      const auto last =
          std::ranges::find_if(order_, [&](std::int32_t token) { return (sum += weight(token)) >= enough; });
      order_.erase(last == order_.end() ? last : last + 1, order_.end());
    }
    std::ranges::sort(order_);
    tokens = order_;
  }

  const double share = uniform * std::accumulate(tokens.begin(), tokens.end(), 0.0, add);
  double sum = 0;
  const auto drawn = std::ranges::find_if(tokens, [&](std::int32_t token) { return (sum += weight(token)) > share; });
  return drawn == tokens.end() ? tokens.back() : *drawn;
}

void Sampler::allow_all_of(std::size_t size) {
  if (size_ == size) return;
  size_ = size;
  allowed_.resize(size);
  std::iota(allowed_.begin(), allowed_.end(), 0);
  for (const std::int32_t token : never_) std::erase(allowed_, token);
}

}  // namespace rune::generate
