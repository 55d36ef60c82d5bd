#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAvx512 = make_kernels<Avx512>(&kAvx512Canonical);

}  // namespace rune::kernels
