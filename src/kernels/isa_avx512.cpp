#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

// 32 registers of 16 floats: 6 x 4 accumulators, 4 for the panels, 1 broadcast.
struct Avx512 {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr int kWidth = 16;
  static constexpr int kMaxRows = 6;
  static constexpr int panels(int /*rows*/) { return 4; }
};

}  // namespace

constexpr Kernels kAvx512 = make_kernels<Avx512>();

}  // namespace rune::kernels
