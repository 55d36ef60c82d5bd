#include "peak_probe.h"

#include <chrono>

#include "kernels/kernels.h"

namespace rune::benchmarks {

double peak_gflops(ThreadTeam& team) {
  constexpr std::size_t kRepetitions = 10'000'000;
  const kernels::Kernels& kernels = kernels::kernels();
  const auto start = std::chrono::steady_clock::now();
  team.run([&](int) { kernels.multiply_add_chains(kRepetitions); });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return 2.0 * static_cast<double>(kRepetitions * kernels.floats_per_repetition) * team.size() / seconds / 1e9;
}

}  // namespace rune::benchmarks
