#include "kernels/instruction_sets.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kNeonCanonical = make_kernels<Neon>(nullptr);

}  // namespace rune::kernels
