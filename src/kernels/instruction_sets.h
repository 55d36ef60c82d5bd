#pragma once

#include "kernels/kernels.h"

/// What the templates must know of an instruction set: floats in a vector, rows of a product's tile, and how many
/// panels a tile of so many rows takes at once, so that accumulators, the panels' vectors and a broadcast fit in the
/// registers and at least eight independent sums hide the latency of the multiply-add; and how many vectors of depth
/// one pass over a panel takes, so that they stay in the first-level cache while the row tiles stream past them.
namespace rune::kernels {

// 32 registers of 16 floats: 6 x 4 accumulators, 4 for the panels, 1 broadcast.
struct Avx512 {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr std::size_t kDepthBlock = 256;
  static constexpr int kWidth = 16;
  static constexpr int kMaxRows = 6;
  static constexpr int panels(int /*rows*/) { return 4; }
};

// 16 registers of 8 floats: 6 x 2 accumulators, 2 for the panel, 1 broadcast.
struct Avx2 {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr std::size_t kDepthBlock = 256;
  static constexpr int kWidth = 8;
  static constexpr int kMaxRows = 6;
  static constexpr int panels(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
};

// 16 registers of 4 floats (SSE2, no fused multiply-add): 2 x 4 accumulators, 4 for the panel, 1 broadcast.
struct Baseline {
  static constexpr Isa kIsa = Isa::baseline;
  static constexpr std::size_t kDepthBlock = 256;
  static constexpr int kWidth = 4;
  static constexpr int kMaxRows = 2;
  static constexpr int panels(int rows) { return rows == 1 ? 2 : 1; }
};

// 32 registers of 4 floats: 5 x 4 accumulators, 4 for the panel, 1 broadcast.
struct Neon {
  static constexpr Isa kIsa = Isa::neon;
  static constexpr std::size_t kDepthBlock = 256;
  static constexpr int kWidth = 4;
  static constexpr int kMaxRows = 5;
  static constexpr int panels(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
};

}  // namespace rune::kernels
