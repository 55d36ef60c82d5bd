#include "tools/bench.h"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/matrix.h"
#include "base/random.h"
#include "base/thread_team.h"
#include "generate/generator.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "model/network.h"
#include "tools/numbers.h"
#include "train/optimizer.h"
#include "train/option_text.h"

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

  explicit Block(const Workload& workload) : steps(workload.train.sequence_length), streams(workload.train.batch_size) {
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

// What this process holds in memory now.
double resident_mb() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Medians of repetitions.
struct Measured {
  double seconds = 0;
  double resident_mb = 0;
};

// A repetition takes long enough for the clock and for the probes beside it. `probe` is called before the first one and
// after each.
Measured measure(const Work& work, double seconds, const Work& probe) {
  constexpr double kLongEnough = 0.1;
  constexpr std::size_t kFewest = 3;
  work();
  const double resident = resident_mb();
  probe();
  const double once = seconds_of(work);
  const auto repetitions = static_cast<int>(kLongEnough / once) + 1;
  std::vector<double> times;
  double spent = 0;
  const auto count = [&](double taken) {
    spent += taken;
    times.push_back(taken / repetitions);
    probe();
  };
  if (repetitions == 1) count(once);
  while (spent < seconds || times.size() < kFewest) {
    count(seconds_of([&] {
      for (int i = 0; i < repetitions; ++i) work();
    }));
  }
  return {median(times), resident};
}

Measured train(const Workload& workload, const kernels::Kernels& kernels, ThreadTeam& team, double seconds,
               const Work& probe) {
  const TrainOptions& options = workload.train;
  model::Network network(workload.model, workload.vocabulary_size,
                         model::Parameters::initialized(workload.model, workload.vocabulary_size, 1),
                         model::Purpose::training, kernels);
  train::Optimizer optimizer(options.optimizer, network.parameters());
  model::Parameters gradients(workload.model, workload.vocabulary_size);
  model::Workspace workspace(network, options.sequence_length, options.batch_size, model::Workspace::Mode::training);
  model::State state(workload.model, options.batch_size);
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

Measured evaluate(const Workload& workload, const kernels::Kernels& kernels, ThreadTeam& team, double seconds,
                  const Work& probe) {
  const ModelOptions& options = workload.model;
  model::Network network(options, workload.vocabulary_size,
                         model::Parameters::initialized(options, workload.vocabulary_size, 1),
                         model::Purpose::inference, kernels);
  model::Workspace workspace(network, workload.train.sequence_length, workload.train.batch_size,
                             model::Workspace::Mode::evaluation);
  model::State state(options, workload.train.batch_size);
  const Block block(workload);
  return measure([&] { network.evaluate(block.tokens(), state, workspace, team); }, seconds, probe);
}

Measured write(const Workload& workload, const kernels::Kernels& kernels, int threads, double seconds,
               const Work& probe) {
  model::Model model = model::new_model(workload.model, some_alphabet(workload.vocabulary_size), 1);
  model.network.use(kernels);
  return measure(
      [&] {
        generate::generate(model, {}, workload.train.sequence_length, workload.train.batch_size, {.threads = threads},
                           [](int, const std::string&) { return true; });
      },
      seconds, probe);
}

Measured measure(const Workload& workload, const kernels::Kernels& kernels, const BenchOptions& options,
                 ThreadTeam& team, const Work& probe) {
  switch (workload.task) {
    case Workload::Task::train:
      return train(workload, kernels, team, options.seconds, probe);
    case Workload::Task::evaluate:
      return evaluate(workload, kernels, team, options.seconds, probe);
    case Workload::Task::write:
      break;
  }
  return write(workload, kernels, options.threads, options.seconds, probe);
}

// The probes beside the repetitions of one workload. What they read is there from the first one on.
class Probes {
 public:
  Probes(ThreadTeam& team, std::size_t streamed_bytes) : team_(team), streamed_bytes_(streamed_bytes) {}

  void measure() {
    if (!roofs_probe_) {
      roofs_probe_.emplace(team_);
      weights_ = readable_values(streamed_bytes_ / sizeof(float));
    }
    const Roofs roofs = roofs_probe_->measure();
    multiply_adds_.push_back(roofs.multiply_adds);
    bf16_dots_.push_back(roofs.bf16_dots);
    cache_reads_.push_back(roofs.cache_read);
    memory_reads_.push_back(roofs.memory_read);
    if (streamed_bytes_ > 0) weight_reads_.push_back(read_peak(std::as_const(weights_).span(), team_));
  }
  [[nodiscard]] Roofs roofs() const {
    return {median(multiply_adds_), median(bf16_dots_), median(cache_reads_), median(memory_reads_)};
  }
  [[nodiscard]] double weight_read() const { return streamed_bytes_ > 0 ? median(weight_reads_) : 0; }

 private:
  ThreadTeam& team_;
  std::size_t streamed_bytes_;
  std::optional<RoofProbe> roofs_probe_;
  Buffer<float> weights_;  // as many bytes as the weights that a character needs: they stay where those stay
  std::vector<double> multiply_adds_, bf16_dots_, cache_reads_, memory_reads_, weight_reads_;
};

nlohmann::ordered_json json_of(const Workload& workload) {
  const ModelOptions& model = workload.model;
  const TrainOptions& train = workload.train;
  const OptimizerOptions& optimizer = train.optimizer;
  return {{"workload", workload.name},
          {"task", to_string(workload.task)},
          {"cell", model::name_of(model.cell)},
          {"layers", model.layers},
          {"hidden_size", model.hidden_size},
          {"embedding", model.embedding},
          {"dropout", model.dropout},
          {"output_dropout", model.output_dropout.value_or(model.dropout)},
          {"vocabulary_size", workload.vocabulary_size},
          {"batch_size", train.batch_size},
          {"sequence_length", train.sequence_length},
          {"carries_state", train.batching == Batching::streams},
          {"reduction", model::name_of(train.reduction)},
          {"optimizer", model::name_of(optimizer.kind)},
          {"learning_rate", optimizer.learning_rate},
          {"weight_decay", optimizer.weight_decay.value_or(0)},
          {"clip_norm", train.clip_norm},
          {"forward_multiply_adds", forward_multiply_adds(model, workload.vocabulary_size)}};
}

nlohmann::ordered_json json_of(const Roofs& roofs) {
  nlohmann::ordered_json json = {
      {"multiply_adds", roofs.multiply_adds}, {"cache_read", roofs.cache_read}, {"memory_read", roofs.memory_read}};
  if (roofs.bf16_dots > 0) json["bf16_dots"] = roofs.bf16_dots;
  return json;
}

}  // namespace

BenchResult bench(const Workload& workload, const BenchOptions& options) {
  const double multiply_adds = forward_multiply_adds(workload.model, workload.vocabulary_size);
  const kernels::Kernels& kernels = kernels::kernels(options.precision);
  ThreadTeam team(options.threads);
  const auto weight_bytes = static_cast<std::size_t>(multiply_adds) * kernels.element_bytes;
  const bool streams = workload.task == Workload::Task::write && workload.train.batch_size == 1;
  Probes probes(team, streams ? weight_bytes : 0);
  const Measured measured = measure(workload, kernels, options, team, [&] {
    if (options.probes) probes.measure();
  });

  const double rate =
      static_cast<double>(workload.train.batch_size) * workload.train.sequence_length / measured.seconds;
  const double passes = workload.task == Workload::Task::train ? 3 : 1;
  return {.workload = workload,
          .threads = team.size(),
          .precision = kernels.precision,
          .characters_per_second = rate,
          .gflops = rate * passes * multiply_adds * 2 / 1e9,
          .roofs = options.probes ? probes.roofs() : Roofs{},
          .weight_gigabytes = streams ? rate * static_cast<double>(weight_bytes) / 1e9 : 0,
          .weight_read = options.probes ? probes.weight_read() : 0,
          .resident_mb = measured.resident_mb};
}

std::string bench_table(const std::vector<BenchResult>& results) {
  std::string table =
      "| workload | what | threads | precision | characters a second | GFLOP/s | share of the roof | memory |\n"
      "| --- | --- | ---: | --- | ---: | ---: | --- | ---: |\n";
  for (const BenchResult& result : results) {
    const std::string roof = result.weight_read > 0 ? fmt::format("{:.0f} GB/s read", result.weight_read)
                                                    : fmt::format("{:.0f} GFLOP/s", result.multiply_add_peak());
    table += fmt::format("| {} | {} | {} | {} | {} | {:.1f} | {:.2f} of {} | {:.0f} MB |\n", result.workload.name,
                         summary(result.workload), result.threads, model::name_of(result.precision),
                         with_commas(static_cast<std::int64_t>(result.characters_per_second)), result.gflops,
                         result.share_of_roof(), roof, result.resident_mb);
  }
  return table;
}

std::string to_text(const Roofs& roofs) {
  std::string text = fmt::format("f32 multiply-adds {:.0f} GFLOP/s, ", roofs.multiply_adds);
  if (roofs.bf16_dots > 0) text += fmt::format("bf16 dot products {:.0f} GFLOP/s, ", roofs.bf16_dots);
  return text + fmt::format("last cache {:.0f} GB/s, memory {:.0f} GB/s", roofs.cache_read, roofs.memory_read);
}

std::string to_json(const Workload& workload) { return json_of(workload).dump(); }
std::string to_json(const Roofs& roofs) { return json_of(roofs).dump(); }
std::string to_json(const BenchResult& result) {
  nlohmann::ordered_json json = json_of(result.workload);
  json["isa"] = kernels::to_string(kernels::kernels().isa);
  json["precision"] = model::name_of(result.precision);
  json["threads"] = result.threads;
  json["characters_per_second"] = result.characters_per_second;
  json["gflops"] = result.gflops;
  json["share_of_roof"] = result.share_of_roof();
  json["resident_mb"] = result.resident_mb;
  json["roofs"] = json_of(result.roofs);
  if (result.weight_read > 0) {
    json["weight_gigabytes"] = result.weight_gigabytes;
    json["weight_read"] = result.weight_read;
  }
  return json.dump();
}

}  // namespace rune::tools
