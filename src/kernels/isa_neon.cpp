#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kNeon = make_kernels<Neon>(&kNeonCanonical);

}  // namespace rune::kernels
