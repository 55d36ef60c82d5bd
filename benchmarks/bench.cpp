// The engine's side of benchmarks/compare: one workload, measured once, as a line of JSON.
//
//   rune_bench train|evaluate [--steps N]     system A: LSTM 2 x 512, 83 characters, 128 x 100, dropout 0.5, Adam
//   rune_bench write [--steps N]              the same model writes one text, N times 100 characters on one thread
//   rune_bench probe

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "base/thread_team.h"
#include "kernels/kernels.h"
#include "model/network.h"
#include "peak_probe.h"
#include "train/optimizer.h"

namespace rune::benchmarks {
namespace {

constexpr int kVocabulary = 83;
constexpr int kBatch = 128;
constexpr int kSteps = 100;

const ModelOptions kSystemA{.cell = Cell::lstm, .layers = 2, .hidden_size = 512, .dropout = 0.5F};

/// Multiply-adds of one character, forward. One-hot input costs none; backward costs twice as many.
double forward_macs() {
  const double h = kSystemA.hidden_size;
  return 4 * h * h + 8 * h * h + h * kVocabulary;
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Measurement {
  double characters_per_second = 0;
  double gflops = 0;
  double peak_gflops = 0;  // in the same seconds: medians of all three
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Calls `work(step)` once to warm up, then `steps` times, each between two probes of the peak.
template <class Work>
Measurement measure(int steps, double characters, double macs, ThreadTeam& team, Work&& work) {
  work(0);
  std::vector<double> seconds;
  std::vector<double> peaks{peak_gflops(team)};
  for (int step = 1; step <= steps; ++step) {
    const Stopwatch watch;
    work(step);
    seconds.push_back(watch.seconds());
    peaks.push_back(peak_gflops(team));
  }
  const double rate = characters / median(seconds);
  return {rate, rate * macs * 2 / 1e9, median(peaks)};
}

struct Block {
  std::vector<std::int32_t> inputs, targets;
  Block() {
    const RandomStream random(1, RandomPurpose::shuffle);
    for (std::uint64_t i = 0; i < std::uint64_t{kBatch} * kSteps; ++i) {
      inputs.push_back(static_cast<std::int32_t>(random.bits(2 * i) % kVocabulary));
      targets.push_back(static_cast<std::int32_t>(random.bits(2 * i + 1) % kVocabulary));
    }
  }
  [[nodiscard]] text::TokenBlock tokens() const { return {kSteps, kBatch, inputs, targets}; }
};

model::Network make_network() {
  return {kSystemA, kVocabulary, model::Parameters::initialized(kSystemA, kVocabulary, 1)};
}

Measurement train(int steps, ThreadTeam& team) {
  model::Network network = make_network();
  train::Optimizer optimizer({}, network.parameters());
  model::Parameters gradients(kSystemA, kVocabulary);
  model::Workspace workspace(network, kSteps, kBatch, model::Workspace::Mode::training);
  model::State state(kSystemA, kBatch);
  const Block block;
  return measure(steps, kBatch * kSteps, 3 * forward_macs(), team, [&](int step) {
    network.gradients(block.tokens(), state, 1, static_cast<std::uint64_t>(step), workspace, gradients, team);
    const double norm = optimizer.norm(gradients, team);
    optimizer.step(network.mutable_parameters(), gradients, 1e-3, train::clip_factor(norm, 5), team);
    network.pack(team);
  });
}

Measurement evaluate(int steps, ThreadTeam& team) {
  const model::Network network = make_network();
  model::Workspace workspace(network, kSteps, kBatch, model::Workspace::Mode::evaluation);
  model::State state(kSystemA, kBatch);
  const Block block;
  return measure(steps, kBatch * kSteps, forward_macs(), team,
                 [&](int) { network.evaluate(block.tokens(), state, workspace, team); });
}

Measurement write(int steps) {
  constexpr int kCharacters = 100;  // of a step
  const model::Network network = make_network();
  model::State state(kSystemA, 1);
  Matrix logits(1, kVocabulary);
  std::int32_t token = 0;
  ThreadTeam alone(1);
  return measure(steps, kCharacters, forward_macs(), alone, [&](int) {
    for (int i = 0; i < kCharacters; ++i) {
      network.step({&token, 1}, state, logits);
      token = static_cast<std::int32_t>(std::ranges::max_element(logits.values()) - logits.values().begin());
    }
  });
}

int run(const std::vector<std::string_view>& arguments) {
  ThreadTeam team;
  if (arguments.size() == 1 && arguments[0] == "probe") {
    fmt::print("{{\"isa\": \"{}\", \"threads\": {}, \"peak_gflops\": {:.1f}}}\n", to_string(kernels::kernels().isa),
               team.size(), peak_gflops(team));
    return 0;
  }
  int steps = 0;
  const bool counted =
      arguments.size() == 3 && arguments[1] == "--steps" &&
      std::from_chars(arguments[2].data(), arguments[2].data() + arguments[2].size(), steps).ec == std::errc() &&
      steps > 0;
  if (!counted || (arguments[0] != "train" && arguments[0] != "evaluate" && arguments[0] != "write")) {
    fmt::print(stderr, "usage: rune_bench train|evaluate|write --steps N, or rune_bench probe\n");
    return 2;
  }
  const Measurement result = arguments[0] == "train"      ? train(steps, team)
                             : arguments[0] == "evaluate" ? evaluate(steps, team)
                                                          : write(steps);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"characters_per_second\": {:.1f}, \"gflops\": {:.1f}, \"peak_gflops\": {:.1f}, \"peak_share\": {:.3f}, "
      "\"resident_mb\": {}}}\n",
      result.characters_per_second, result.gflops, result.peak_gflops, result.gflops / result.peak_gflops,
      usage.ru_maxrss / 1024);
  return 0;
}

}  // namespace
}  // namespace rune::benchmarks

int main(int argc, char** argv) { return rune::benchmarks::run({argv + 1, argv + argc}); }
