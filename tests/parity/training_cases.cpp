#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "model/network.h"
#include "parity/case_file.h"
#include "parity/cases.h"
#include "support/model_cases.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace rune::test {
namespace {

constexpr int kTrainingSteps = 100;
constexpr int kBlocks = 10;  // steps in an epoch
constexpr int kSeeds = 4;

struct TrainingCase {
  std::string name;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
};

std::vector<TrainingCase> training_cases() {
  const OptimizerOptions adam{.learning_rate = 3e-3};
  const OptimizerOptions adamw{.kind = OptimizerKind::adamw, .learning_rate = 3e-3};
  const OptimizerOptions sgd{.kind = OptimizerKind::sgd, .learning_rate = 0.5};
  const OptimizerOptions rmsprop{.kind = OptimizerKind::rmsprop, .learning_rate = 1e-3};
  const auto with = [](OptimizerOptions options, auto... changes) {
    (changes(options), ...);
    return options;
  };
  const auto decay = [](double value) { return [value](OptimizerOptions& options) { options.weight_decay = value; }; };
  const auto momentum = [](OptimizerOptions& options) {
    options.momentum = 0.9;
    options.learning_rate /= 5;
  };
  const auto nesterov = [](OptimizerOptions& options) { options.nesterov = true; };
  const auto steps = [](double value) { return Period{value, Period::Unit::steps}; };

  const ScheduleOptions exponential{.kind = ScheduleKind::exponential, .period = steps(1), .factor = 0.97};
  return {
      {"adam", adam, {}},
      {"adam_weight_decay", with(adam, decay(1e-2)), {}},
      {"adamw", adamw, {}},
      {"adamw_weight_decay", with(adamw, decay(0.1)), {}},
      {"sgd", sgd, {}},
      {"sgd_weight_decay", with(sgd, decay(1e-2)), {}},
      {"sgd_momentum", with(sgd, momentum), {}},
      {"sgd_nesterov_weight_decay", with(sgd, momentum, nesterov, decay(1e-3)), {}},
      {"rmsprop", rmsprop, {}},
      {"rmsprop_weight_decay", with(rmsprop, decay(1e-2)), {}},
      {"rmsprop_momentum", with(rmsprop, momentum), {}},
      {"step", adam, {.kind = ScheduleKind::step, .period = {2, Period::Unit::epochs}, .factor = 0.5}},
      {"exponential", adam, exponential},
      {"cosine", adam, {.kind = ScheduleKind::cosine, .final_learning_rate = 1e-4}},
      {"restarts", adam, {.kind = ScheduleKind::restarts, .period = steps(30), .final_learning_rate = 1e-4}},
      {"restarts_twice_as_long", adam, {.kind = ScheduleKind::restarts, .period = steps(15), .cycle_multiplier = 2}},
      {"stages",
       adam,
       {.kind = ScheduleKind::stages,
        .stages = {{5e-3, {4, Period::Unit::epochs}}, {1e-3, steps(30)}, {2e-4, steps(10)}}}},
      {"warmup_constant", adam, {.warmup = steps(20)}},
      {"warmup_cosine", adam, {.kind = ScheduleKind::cosine, .warmup = {1, Period::Unit::epochs}}},
  };
}

std::string to_string(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::adam:
      return "adam";
    case OptimizerKind::adamw:
      return "adamw";
    case OptimizerKind::sgd:
      return "sgd";
    case OptimizerKind::rmsprop:
      return "rmsprop";
  }
  return {};
}

// check.py builds PyTorch's optimiser from this, all else at PyTorch's defaults; it knows the schedules by name.
nlohmann::json describe_optimizer(const OptimizerOptions& options) {
  nlohmann::json json{{"kind", to_string(options.kind)}, {"lr", options.learning_rate}};
  if (options.weight_decay) json["weight_decay"] = *options.weight_decay;
  if (options.momentum != 0) json["momentum"] = options.momentum;
  if (options.nesterov) json["nesterov"] = true;
  return json;
}

// The loop of a trainer: state zero at the start of an epoch, gradients, clipping, update, packing.
void dump_training_case(const std::filesystem::path& folder, const TrainingCase& training, int seed) {
  constexpr int kVocabulary = 20;
  constexpr int kSteps = 8;
  constexpr int kStreams = 6;
  constexpr double kClipNorm = 0.17;  // some steps are clipped, some are not
  const ModelOptions options = model_options(kCellCases[3], 1, 20, 8);
  const auto random_seed = static_cast<std::uint64_t>(seed);
  model::Network network(options, kVocabulary, model::Parameters::initialized(options, kVocabulary, random_seed));
  const RandomBlock tokens(kVocabulary, kBlocks * kSteps, kStreams, random_seed);

  auto description = describe(options, kVocabulary);
  description["kind"] = "training";
  description["name"] = training.name;
  description["optimizer"] = describe_optimizer(training.optimizer);
  description["clip_norm"] = kClipNorm;
  CaseFile file(description);
  file.add("", network.parameters());
  file.add("inputs", {kBlocks, kSteps, kStreams}, tokens.block().inputs);
  file.add("targets", {kBlocks, kSteps, kStreams}, tokens.block().targets);

  ThreadTeam team(2);
  model::State state(options, kStreams);
  model::Workspace workspace(network, kSteps, kStreams, model::Workspace::Mode::training);
  model::Parameters gradients(options, kVocabulary);
  train::Optimizer optimizer(training.optimizer, network.parameters());
  std::vector<double> rates;
  for (int step = 0; step < kTrainingSteps; ++step) {
    const int index = step % kBlocks;
    if (index == 0) state.zero();
    network.gradients(tokens.part(index * kSteps, (index + 1) * kSteps), state, random_seed,
                      static_cast<std::uint64_t>(step), workspace, gradients, team);
    rates.push_back(train::learning_rate(training.schedule, training.optimizer.learning_rate, step,
                                         train::Epochs(kBlocks), kTrainingSteps));
    const double scale = train::clip_factor(optimizer.norm(gradients, team), kClipNorm);
    optimizer.step(network.mutable_parameters(), gradients, rates.back(), scale, team);
    network.pack(team);
  }
  file.add("learning_rates", {kTrainingSteps}, std::move(rates));
  file.add("trained.", network.parameters());
  file.write(folder, fmt::format("training_{}_{}", training.name, seed));
}

}  // namespace

void dump_training_cases(const std::filesystem::path& folder) {
  for (const TrainingCase& training : training_cases()) {
    for (int seed = 1; seed <= kSeeds; ++seed) dump_training_case(folder, training, seed);
  }
}

}  // namespace rune::test
