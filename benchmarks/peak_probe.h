#pragma once

#include "base/thread_team.h"

namespace rune::benchmarks {

/// What the processor can do at this moment: single-precision multiply-adds in registers alone, on all threads of the
/// team at once, with the instruction set that the kernels use. GFLOP/s, two operations a multiply-add. Takes about
/// 0.1 s.
double peak_gflops(ThreadTeam& team);

}  // namespace rune::benchmarks
