#include "tools/plan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "base/random.h"
#include "base/thread_team.h"
#include "model/network.h"
#include "tools/numbers.h"
#include "tools/workload.h"

namespace rune::tools {
namespace {

constexpr double kTrainingPasses = 3;  // forward, and twice as much backward

// Steps of a batch below which gradients are too few, and beyond which they could be better instead.
constexpr double kManySteps = 8000;
constexpr int kSmallestBatch = 32;
constexpr int kLargestBatch = 256;
constexpr int kSequenceLength = 64;
constexpr int kLargeAlphabet = 500;  // from which on an embedding is smaller and faster than one-hot input

// Units that the time suffices for: what a unit costs and what must be seen to use it grow together, so that four times
// the work asks for less than half as many again.
double units_for(double multiply_adds) {
  constexpr double kUnits = 384;           // at
  constexpr double kMultiplyAdds = 12e12;  // three minutes of two cores
  return kUnits * std::pow(multiply_adds / kMultiplyAdds, 0.25);
}

// Units beyond which a text of that size is learned by heart.
double units_for_text(std::int64_t tokens) {
  constexpr double kUnits = 512;
  constexpr double kTokens = 1e6;
  return kUnits * std::pow(static_cast<double>(tokens) / kTokens, 0.35);
}

int in_panels(double units) {
  constexpr int kPanel = 16;
  constexpr int kFewest = 48;
  constexpr int kMost = 2048;
  return std::clamp(static_cast<int>(std::lround(units / kPanel)) * kPanel, kFewest, kMost);
}

// Against learning by heart, by how often the text is walked over.
float dropout_for(double epochs) {
  if (epochs < 3) return 0;
  if (epochs < 8) return 0.2F;
  return epochs < 20 ? 0.35F : 0.5F;
}

}  // namespace

double training_speed(int vocabulary_size, int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr double kSeconds = 1.5;
  constexpr int kBatch = 32;
  constexpr int kLength = 32;
  const ModelOptions options{.layers = 1, .hidden_size = 256};
  ThreadTeam team(threads);
  model::Network network(options, vocabulary_size, model::Parameters::initialized(options, vocabulary_size, 1));
  model::Workspace workspace(network, kLength, kBatch, model::Workspace::Mode::training);
  model::Parameters gradients(options, vocabulary_size);
  model::State state(options, kBatch);
  const RandomStream random(1, RandomPurpose::shuffle);
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(kBatch) * kLength);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<std::int32_t>(random.bits(i) % static_cast<std::uint64_t>(vocabulary_size));
  }
  const text::TokenBlock block{.sequence_length = kLength, .batch_size = kBatch, .inputs = tokens, .targets = tokens};
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  static_cast<void>(network.gradients(block, state, 1, 0, workspace, gradients, team));
  std::vector<double> speeds;
  for (const auto start = Clock::now(); seconds_since(start) < kSeconds || speeds.empty();) {
    const auto step = Clock::now();
    static_cast<void>(network.gradients(block, state, 1, 0, workspace, gradients, team));
    speeds.push_back(kTrainingPasses * forward_multiply_adds(options, vocabulary_size) * kBatch * kLength /
                     seconds_since(step));
  }
  return median(std::move(speeds));
}

TextSize size_of(const text::Corpus& corpus) {
  return {std::ssize(corpus.train), std::ssize(corpus.validation), corpus.vocabulary.size(),
          !corpus.train_ends.empty()};
}

TrainingPlan plan_training(double minutes, double multiply_adds_per_second, const TextSize& text) {
  const double budget = 60 * minutes * multiply_adds_per_second;
  const double by_time = units_for(budget);
  const double by_text = units_for_text(text.training);
  TrainingPlan plan;
  ModelOptions& model = plan.model;
  TrainOptions& train = plan.train;
  model.cell = Cell::lstm;
  model.layers = 1;
  model.hidden_size = in_panels(std::min(by_time, by_text));
  plan.choices.push_back(
      {fmt::format("LSTM {} x {}", model.layers, model.hidden_size),
       by_time <= by_text ? fmt::format("as large as {:g} minutes at {:.0f} billion multiply-adds a second can train",
                                        minutes, multiply_adds_per_second / 1e9)
                          : fmt::format("a larger one would learn {} tokens by heart", with_commas(text.training))});

  if (text.vocabulary_size > kLargeAlphabet) model.embedding = std::min(model.hidden_size, 256);
  plan.characters_per_second =
      multiply_adds_per_second / (kTrainingPasses * forward_multiply_adds(model, text.vocabulary_size));
  const double characters = plan.characters_per_second * 60 * minutes;
  plan.epochs = characters / static_cast<double>(std::max<std::int64_t>(1, text.training));
  if (text.records) {
    train.batching = Batching::records;
    train.shuffle = true;
  }
  train.sequence_length = kSequenceLength;
  train.batch_size = kSmallestBatch;
  while (train.batch_size < kLargestBatch && characters / (train.batch_size * kSequenceLength) > kManySteps) {
    train.batch_size *= 2;
  }
  const double steps = characters / (train.batch_size * kSequenceLength);
  plan.choices.push_back({fmt::format("batches of {} x {}", train.batch_size, train.sequence_length),
                          fmt::format("about {} steps, many small ones rather than few large ones",
                                      with_commas(static_cast<std::int64_t>(steps)))});

  model.dropout = dropout_for(plan.epochs);
  plan.choices.push_back({model.dropout > 0 ? fmt::format("dropout {:g}", model.dropout) : "no dropout",
                          fmt::format("the text is walked over {:.1f} times", plan.epochs)});

  train.optimizer.learning_rate = 4e-3;
  train.schedule.kind = ScheduleKind::cosine;
  train.schedule.warmup = {std::clamp(std::round(steps / 20), 1.0, 200.0), Period::Unit::steps};
  plan.choices.push_back({fmt::format("learning rate {:g}, falling to 0", train.optimizer.learning_rate),
                          "the last steps, the smallest, bring the most"});

  // Evaluations, forward alone, may take a twentieth of the time.
  constexpr double kEvaluations = 10;
  constexpr double kShare = 0.05;
  const double evaluation = static_cast<double>(text.validation) * forward_multiply_adds(model, text.vocabulary_size) /
                            multiply_adds_per_second / 60;
  train.eval_every = {std::max(minutes / kEvaluations, evaluation / kShare), Period::Unit::minutes};
  train.duration = {minutes, Period::Unit::minutes};
  return plan;
}

}  // namespace rune::tools
