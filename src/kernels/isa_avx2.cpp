#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAvx2 = make_kernels<Avx2>(&kAvx2Canonical);

}  // namespace rune::kernels
