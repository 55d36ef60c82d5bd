#include "kernels/bf16_dot.h"
#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAvx512Bf16 = make_kernels<Avx512, Bf16Dot>(&kAvx512Canonical);

}  // namespace rune::kernels
