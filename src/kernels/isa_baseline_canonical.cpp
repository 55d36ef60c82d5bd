#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kBaselineCanonical = make_kernels<Baseline>(nullptr);

}  // namespace rune::kernels
