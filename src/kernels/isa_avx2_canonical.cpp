#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAvx2Canonical = make_kernels<Avx2>(nullptr);

}  // namespace rune::kernels
