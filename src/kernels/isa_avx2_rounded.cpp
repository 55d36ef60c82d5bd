#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAvx2Rounded = make_kernels<Avx2, RoundedOperand<Avx2::kWidth>>(&kAvx2Canonical);

}  // namespace rune::kernels
