#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kBaseline = make_kernels<Baseline>(&kBaselineCanonical);

}  // namespace rune::kernels
