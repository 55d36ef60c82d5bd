#include "tools/bench.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/thread_team.h"
#include "generate/generator.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "model/network.h"
#include "model/option_names.h"
#include "tools/numbers.h"
#include "tools/probe.h"
#include "train/optimizer.h"
#include "train/recipe.h"

namespace rune::tools {
namespace {

using Work = std::function<void()>;

double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

text::Vocabulary some_alphabet(int size) {
  std::u32string characters;
  for (int i = 0; i < size; ++i) characters += static_cast<char32_t>(' ' + i);
  return text::Vocabulary(characters);
}

// T x B tokens and targets, drawn at random.
struct Block {
  std::vector<std::int32_t> inputs, targets;
  int steps, streams;

  explicit Block(const Workload& workload) : steps(workload.sequence_length), streams(workload.batch_size) {
    const RandomStream random(1, RandomPurpose::shuffle);
    auto draw = [&, next = std::uint64_t{0}]() mutable {
      return static_cast<std::int32_t>(random.bits(next++) % static_cast<std::uint64_t>(workload.vocabulary_size));
    };
    for (int i = 0; i < steps * streams; ++i) {
      inputs.push_back(draw());
      targets.push_back(draw());
    }
  }
  [[nodiscard]] text::TokenBlock tokens() const { return {steps, streams, inputs, targets}; }
};

// The times of one repetition and what stood beside it.
struct Samples {
  std::vector<double> seconds, multiply_adds, reads;
};

// A repetition takes long enough for the clock, 30 ms and more.
Samples measure(const Work& work, double seconds, const std::function<void(Samples&)>& probe) {
  constexpr double kLongEnough = 0.03;
  constexpr std::size_t kFewest = 3;
  work();
  const auto repetitions = static_cast<int>(kLongEnough / seconds_of(work)) + 1;
  Samples samples;
  probe(samples);
  for (double spent = 0; spent < seconds || samples.seconds.size() < kFewest;) {
    const double taken = seconds_of([&] {
      for (int i = 0; i < repetitions; ++i) work();
    });
    spent += taken;
    samples.seconds.push_back(taken / repetitions);
    probe(samples);
  }
  return samples;
}

Samples train(const Workload& workload, const train::RunConfig& config, const kernels::Kernels& kernels,
              ThreadTeam& team, double seconds, const std::function<void(Samples&)>& probe) {
  const TrainOptions& options = config.train;
  model::Network network(config.model, workload.vocabulary_size,
                         model::Parameters::initialized(config.model, workload.vocabulary_size, 1));
  network.use(kernels);
  train::Optimizer optimizer(options.optimizer, network.parameters());
  model::Parameters gradients(config.model, workload.vocabulary_size);
  model::Workspace workspace(network, workload.sequence_length, workload.batch_size, model::Workspace::Mode::training);
  model::State state(config.model, workload.batch_size);
  const Block block(workload);
  std::uint64_t step = 0;
  return measure(
      [&] {
        if (options.batching != Batching::streams) state.zero();
        network.gradients(block.tokens(), state, 1, step++, workspace, gradients, team, options.reduction);
        const double norm = optimizer.norm(gradients, team);
        optimizer.step(network.mutable_parameters(), gradients, options.optimizer.learning_rate,
                       train::clip_factor(norm, options.clip_norm), team);
        network.pack(team, /*with_table=*/false);
      },
      seconds, probe);
}

Samples evaluate(const Workload& workload, const ModelOptions& options, const kernels::Kernels& kernels,
                 ThreadTeam& team, double seconds, const std::function<void(Samples&)>& probe) {
  model::Network network(options, workload.vocabulary_size,
                         model::Parameters::initialized(options, workload.vocabulary_size, 1));
  network.use(kernels);
  model::Workspace workspace(network, workload.sequence_length, workload.batch_size,
                             model::Workspace::Mode::evaluation);
  model::State state(options, workload.batch_size);
  const Block block(workload);
  return measure([&] { network.evaluate(block.tokens(), state, workspace, team); }, seconds, probe);
}

Samples write(const Workload& workload, const ModelOptions& options, const kernels::Kernels& kernels, int threads,
              double seconds, const std::function<void(Samples&)>& probe) {
  model::Model model = model::new_model(options, some_alphabet(workload.vocabulary_size), 1);
  model.network.use(kernels);
  return measure(
      [&] {
        generate::generate(model, {}, workload.sequence_length, workload.batch_size, {.threads = threads},
                           [](int, const std::string&) { return true; });
      },
      seconds, probe);
}

double resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

BenchResult bench(const Workload& workload, const BenchOptions& options) {
  const train::RunConfig config = train::find_recipe(std::string(workload.recipe)).config;
  const bool writes = workload.task == Workload::Task::write;
  const double multiply_adds = forward_multiply_adds(config.model, workload.vocabulary_size);
  const kernels::Kernels& kernels = kernels::kernels(options.precision);
  ThreadTeam team(options.threads);
  // As many bytes as the weights that a character needs: they stay where those stay.
  const bool streams = writes && workload.batch_size == 1;
  const std::vector<float> weights(
      streams ? static_cast<std::size_t>(multiply_adds) * kernels.element_bytes / sizeof(float) : 0, 1.0F);
  const auto probe = [&](Samples& samples) {
    samples.multiply_adds.push_back(multiply_add_peak(team, kernels.precision));
    if (streams) samples.reads.push_back(read_peak(weights, team));
  };

  const Samples samples = workload.task == Workload::Task::train
                              ? train(workload, config, kernels, team, options.seconds, probe)
                          : writes ? write(workload, config.model, kernels, options.threads, options.seconds, probe)
                                   : evaluate(workload, config.model, kernels, team, options.seconds, probe);

  const double rate = static_cast<double>(workload.batch_size) * workload.sequence_length / median(samples.seconds);
  const double passes = workload.task == Workload::Task::train ? 3 : 1;
  return {.workload = &workload,
          .threads = team.size(),
          .precision = kernels.precision,
          .characters_per_second = rate,
          .gflops = rate * passes * multiply_adds * 2 / 1e9,
          .multiply_add_peak = median(samples.multiply_adds),
          .weight_gigabytes = streams ? rate * multiply_adds * static_cast<double>(kernels.element_bytes) / 1e9 : 0,
          .read_peak = streams ? median(samples.reads) : 0,
          .resident_mb = resident_mb()};
}

std::string bench_table(const std::vector<BenchResult>& results) {
  std::string table =
      "| workload | what | threads | precision | characters a second | GFLOP/s | share of the roof |\n"
      "| --- | --- | ---: | --- | ---: | ---: | --- |\n";
  for (const BenchResult& result : results) {
    const std::string roof = result.read_peak > 0 ? fmt::format("{:.0f} GB/s read", result.read_peak)
                                                  : fmt::format("{:.0f} GFLOP/s", result.multiply_add_peak);
    table += fmt::format("| {} | {} | {} | {} | {} | {:.1f} | {:.2f} of {} |\n", result.workload->name,
                         result.workload->summary, result.threads, model::name_of(result.precision),
                         with_commas(static_cast<std::int64_t>(result.characters_per_second)), result.gflops,
                         result.share_of_roof(), roof);
  }
  return table;
}

std::string to_json(const BenchResult& result) {
  nlohmann::ordered_json json = {{"workload", result.workload->name},
                                 {"isa", kernels::to_string(kernels::kernels().isa)},
                                 {"precision", model::name_of(result.precision)},
                                 {"threads", result.threads},
                                 {"characters_per_second", result.characters_per_second},
                                 {"gflops", result.gflops},
                                 {"multiply_add_peak", result.multiply_add_peak},
                                 {"share_of_roof", result.share_of_roof()},
                                 {"resident_mb", result.resident_mb}};
  if (result.read_peak > 0) {
    json["weight_gigabytes"] = result.weight_gigabytes;
    json["read_peak"] = result.read_peak;
  }
  return json.dump();
}

}  // namespace rune::tools
