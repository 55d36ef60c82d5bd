#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "base/random.h"
#include "kernels/kernels.h"

namespace rune::model {

/// The mask of one place in the network at one training step (Srivastava et al., JMLR 2014, inverted: kept values are
/// scaled by 1/(1-p)).
/// It is a function of (seed, step, layer, row, unit) and is drawn anew wherever it is needed. The probability is kept
/// to 1/65536.
struct DropoutMask {
  std::uint32_t threshold = 0;  // 65536 p; 0: no dropout
  kernels::DropoutKey key;

  DropoutMask() = default;
  DropoutMask(float probability, std::uint64_t seed, std::uint64_t step, std::size_t layer)
      : threshold(static_cast<std::uint32_t>(std::clamp(std::lround(probability * 65536.0F), 0L, 65535L))) {
    const RandomStream stream(seed, RandomPurpose::dropout, step, static_cast<std::uint32_t>(layer));
    key = {stream.key(), stream.step()};
  }

  [[nodiscard]] bool active() const { return threshold > 0; }
  /// `rows` neighbouring rows of `columns` floats, the first being row `row` (t * B + b) of the block. May work in
  /// place.
  void apply(const float* in, float* out, std::size_t row, std::size_t rows, std::size_t columns) const {
    kernels::kernels().dropout(in, out, row * columns, rows * columns, key, threshold);
  }
};

}  // namespace rune::model
