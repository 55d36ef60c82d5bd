#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

// 32 registers of 4 floats: 5 x 4 accumulators, 4 for the panel, 1 broadcast.
struct Neon {
  static constexpr Isa kIsa = Isa::neon;
  static constexpr int kWidth = 4;
  static constexpr int kMaxRows = 5;
  static constexpr int panels(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
};

}  // namespace

constexpr Kernels kNeon = make_kernels<Neon>();

}  // namespace rune::kernels
