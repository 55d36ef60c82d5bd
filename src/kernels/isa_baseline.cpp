#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

// 16 registers of 4 floats (SSE2, no fused multiply-add): 2 x 4 accumulators, 4 for the panel, 1 broadcast.
struct Baseline {
  static constexpr Isa kIsa = Isa::baseline;
  static constexpr int kWidth = 4;
  static constexpr int kMaxRows = 2;
  static constexpr int panels(int rows) { return rows == 1 ? 2 : 1; }
};

}  // namespace

constexpr Kernels kBaseline = make_kernels<Baseline>();

}  // namespace rune::kernels
