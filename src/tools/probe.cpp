#include "tools/probe.h"

#include <chrono>
#include <cstddef>

#include "kernels/kernels.h"

namespace rune::tools {
namespace {

template <class Work>
double seconds_of(ThreadTeam& team, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  team.run(work);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double multiply_add_peak(ThreadTeam& team, Precision precision) {
  constexpr std::size_t kRepetitions = 5'000'000;
  const kernels::Kernels& kernels = kernels::kernels(precision);
  const double seconds = seconds_of(team, [&](int) { kernels.multiply_add_chains(kRepetitions); });
  return 2.0 * static_cast<double>(kRepetitions * kernels.multiply_adds_per_repetition) * team.size() / seconds / 1e9;
}

double read_peak(std::span<const float> values, ThreadTeam& team) {
  constexpr std::size_t kBytes = std::size_t{2} << 30;
  const std::size_t repetitions = kBytes / values.size_bytes() + 1;
  const kernels::Kernels& kernels = kernels::kernels();
  const double seconds = seconds_of(team, [&](int thread) {
    const Range mine = share_of(values.size(), thread, team.size());
    for (std::size_t i = 0; i < repetitions; ++i) kernels.read(values.data() + mine.begin, mine.end - mine.begin);
  });
  return static_cast<double>(repetitions * values.size_bytes()) / seconds / 1e9;
}

}  // namespace rune::tools
