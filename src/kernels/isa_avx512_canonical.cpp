#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAvx512Canonical = make_kernels<Avx512>(nullptr);

}  // namespace rune::kernels
