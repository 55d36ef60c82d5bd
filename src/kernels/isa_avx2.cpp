#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

// 16 registers of 8 floats: 6 x 2 accumulators, 2 for the panel, 1 broadcast.
struct Avx2 {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr int kWidth = 8;
  static constexpr int kMaxRows = 6;
  static constexpr int panels(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
};

}  // namespace

constexpr Kernels kAvx2 = make_kernels<Avx2>();

}  // namespace rune::kernels
