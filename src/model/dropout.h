#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "base/random.h"
#include "base/thread_team.h"
#include "kernels/kernels.h"

namespace rune::model {

/// The mask of one place in the network at one training step (Srivastava et al., JMLR 2014, inverted: kept values are
/// scaled by 1/(1-p)).
/// It is a function of a random stream, that is of (seed, step, layer), and of (row, unit), and is drawn anew wherever
/// it is needed. The probability is kept to 1/65536.
/// A locked mask (Gal & Ghahramani, arXiv 1512.05287) is the same at every time step: that of the block's first one.
struct DropoutMask {
  std::uint32_t threshold = 0;  // 65536 p; 0: no dropout
  std::size_t locked_rows = 0;  // B where it is locked; 0: it is not
  kernels::DropoutKey key;

  DropoutMask() = default;
  DropoutMask(float probability, const RandomStream& stream, std::size_t locked = 0)
      : threshold(static_cast<std::uint32_t>(std::clamp(std::lround(probability * 65536.0F), 0L, 65535L))),
        locked_rows(locked),
        key{stream.key(), stream.step()} {}

  [[nodiscard]] bool active() const { return threshold > 0; }
  /// The row whose numbers a row of the block has: its own, or where it is locked its stream's.
  [[nodiscard]] std::size_t drawn_row(std::size_t row) const { return locked_rows > 0 ? row % locked_rows : row; }
  /// `rows` neighbouring rows of `columns` floats of one time step, the first being row `row` (t * B + b) of the block.
  /// May work in place.
  void apply(const float* in, float* out, std::size_t row, std::size_t rows, std::size_t columns) const {
    kernels::kernels().dropout(in, out, drawn_row(row) * columns, rows * columns, key, threshold);
  }
  /// The same for a part of the columns, multiples of 16.
  void apply(const float* in, float* out, std::size_t row, std::size_t rows, std::size_t columns, Range part) const {
    if (part.end - part.begin == columns) return apply(in, out, row, rows, columns);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t at = i * columns + part.begin;
      kernels::kernels().dropout(in + at, out + at, drawn_row(row + i) * columns + part.begin, part.end - part.begin,
                                 key, threshold);
    }
  }
};

}  // namespace rune::model
