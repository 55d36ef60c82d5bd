#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rune/options.h"

namespace rune::generate {

/// Draws a token from logits: temperature, then top-k, then top-p, then one uniform number. Keeps scratch memory, so
/// not thread-safe.
class Sampler {
 public:
  /// `never`: tokens that are not drawn. Throws InputError naming the option if temperature < 0, top_k < 0, top_p
  /// outside (0,1], or not finite.
  explicit Sampler(const SampleOptions& options, std::vector<std::int32_t> never = {});

  /// `uniform` in [0,1) decides the draw. Ties are broken by the lower token. Throws InputError unless all logits are
  /// finite.
  int draw(std::span<const float> logits, double uniform);

 private:
  void allow_all_of(std::size_t size);

  SampleOptions options_;
  std::vector<std::int32_t> never_;
  std::vector<std::int32_t> allowed_;  // of `size_` tokens, those that may be drawn, in ascending order
  std::size_t size_ = 0;
  std::vector<std::int32_t> order_;
  std::vector<float> weights_;
};

}  // namespace rune::generate
