#pragma once

#include <span>

#include "base/matrix.h"
#include "base/thread_team.h"
#include "rune/options.h"

/// What the processor can do at this moment, with the instruction set that the kernels use: the roofs of a measurement.
/// On a shared machine they change from second to second, so a measurement stands between two probes.
namespace rune::tools {

/// Multiply-adds of a precision's factors in registers alone, on all threads of the team at once. GFLOP/s, two
/// operations each.
double multiply_add_peak(ThreadTeam& team, Precision precision);

/// Values to read. They are written once: what never was has no memory of its own, the system maps it to the same
/// zeros.
Buffer<float> readable_values(std::size_t count);

/// Reading these values again and again from wherever in the memory they stay, every thread its share. GB/s of all
/// threads together.
double read_peak(std::span<const float> values, ThreadTeam& team);

/// Of all threads together.
struct Roofs {
  double multiply_adds = 0;  // GFLOP/s, single precision
  double bf16_dots = 0;      // GFLOP/s of products of bf16; 0: the processor has none
  double cache_read = 0;     // GB/s, what does not fit into the cores' own caches
  double memory_read = 0;    // GB/s, what fits into no cache
};

/// Measures all of them, in less than 0.1 s. Holds 256 MB to read.
class RoofProbe {
 public:
  /// The team must outlive it.
  explicit RoofProbe(ThreadTeam& team);
  [[nodiscard]] Roofs measure();

 private:
  ThreadTeam& team_;
  Buffer<float> memory_;
  std::span<const float> cache_;  // the part of it that is read from the last cache
};

}  // namespace rune::tools
