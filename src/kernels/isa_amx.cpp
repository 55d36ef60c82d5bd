#include "kernels/amx_tiles.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace rune::kernels {

constexpr Kernels kAmxBf16 = make_kernels<Amx, AmxTiles>(&kAvx512Canonical);

}  // namespace rune::kernels
