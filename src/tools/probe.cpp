#include "tools/probe.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "kernels/kernels.h"

namespace rune::tools {
namespace {

template <class Work>
double seconds_of(ThreadTeam& team, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  team.run(work);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Larger than any core's share of a last cache; what a virtual machine says of that one is often wrong.
constexpr std::size_t kMemoryBytes = std::size_t{256} << 20;

// Of every thread: so much of its second-level cache that nothing of the share is left there when it comes round again.
std::size_t cache_bytes() {
#ifdef _SC_LEVEL2_CACHE_SIZE
  const long second_level = sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
  const long second_level = 0;
#endif
  constexpr long kUsual = 1 << 20;
  return 4 * static_cast<std::size_t>(second_level > 0 ? second_level : kUsual);
}

}  // namespace

double multiply_add_peak(ThreadTeam& team, Precision precision) {
  constexpr std::size_t kRepetitions = 5'000'000;
  const kernels::Kernels& kernels = kernels::kernels(precision);
  int threads = 0;
  const double seconds = seconds_of(team, [&](int thread) {
    if (thread == 0) threads = team.size();
    kernels.multiply_add_chains(kRepetitions);
  });
  return 2.0 * static_cast<double>(kRepetitions * kernels.multiply_adds_per_repetition) * threads / seconds / 1e9;
}

Buffer<float> readable_values(std::size_t count) {
  Buffer<float> values(count);
  std::ranges::fill(values.span(), 1.0F);
  return values;
}

double read_peak(std::span<const float> values, ThreadTeam& team) {
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  const std::size_t repetitions = kBytes / values.size_bytes() + 1;
  const kernels::Kernels& kernels = kernels::kernels();
  const double seconds = seconds_of(team, [&](int thread) {
    const Range mine = share_of(values.size(), thread, team.size());
    for (std::size_t i = 0; i < repetitions; ++i) kernels.read(values.data() + mine.begin, mine.end - mine.begin);
  });
  return static_cast<double>(repetitions * values.size_bytes()) / seconds / 1e9;
}

RoofProbe::RoofProbe(ThreadTeam& team)
    : team_(team),
      memory_(readable_values(kMemoryBytes / sizeof(float))),
      cache_(std::as_const(memory_).span().first(
          std::min(memory_.size(), cache_bytes() * static_cast<std::size_t>(team.size()) / sizeof(float)))) {}

Roofs RoofProbe::measure() {
  const Precision best = kernels::kernels(Precision::automatic).precision;
  return {.multiply_adds = multiply_add_peak(team_, Precision::f32),
          .bf16_dots = best == Precision::bf16 ? multiply_add_peak(team_, best) : 0,
          .cache_read = read_peak(cache_, team_),
          .memory_read = read_peak(std::as_const(memory_).span(), team_)};
}

}  // namespace rune::tools
