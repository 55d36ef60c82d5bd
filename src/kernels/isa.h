#pragma once

#include <span>

#include "kernels/kernels.h"

namespace rune::kernels {

// One for each isa_*.cpp that the build compiled.
extern const Kernels kBaseline;
extern const Kernels kAvx2;
extern const Kernels kAvx2Rounded;
extern const Kernels kAvx512;
extern const Kernels kAvx512Bf16;
extern const Kernels kAmxBf16;
extern const Kernels kNeon;
extern const Kernels kBaselineCanonical;
extern const Kernels kAvx2Canonical;
extern const Kernels kAvx512Canonical;
extern const Kernels kNeonCanonical;

/// The tables that this processor can run, the fastest first, those of an instruction set together. One definition per
/// processor family: dispatch_<family>.cpp.
std::span<const Kernels* const> detect_kernels();

}  // namespace rune::kernels
