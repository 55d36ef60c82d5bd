#pragma once

#include <span>

#include "base/thread_team.h"
#include "rune/options.h"

/// What the processor can do at this moment, with the instruction set that the kernels use: the roofs of a measurement.
/// On a shared machine they change from second to second, so a measurement stands between two probes. Each takes about
/// 0.05 s.
namespace rune::tools {

/// Multiply-adds of a precision's factors in registers alone, on all threads of the team at once. GFLOP/s, two
/// operations each.
double multiply_add_peak(ThreadTeam& team, Precision precision);

/// Reading these values again and again from wherever in the memory they stay, every thread its share. GB/s of all
/// threads together.
double read_peak(std::span<const float> values, ThreadTeam& team);

}  // namespace rune::tools
