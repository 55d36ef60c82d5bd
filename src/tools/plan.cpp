#include "tools/plan.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "model/cell.h"
#include "tools/bench.h"
#include "tools/numbers.h"
#include "tools/workload.h"

namespace rune::tools {
namespace {

// docs/quality.md has the measurements behind the numbers below.
constexpr double kTrainingPasses = 3;  // forward, and twice as much backward

// Steps of a batch below which gradients are too few, and beyond which they could be better instead.
constexpr double kManySteps = 8000;
constexpr int kSmallestBatch = 32;
constexpr int kLargestBatch = 256;
constexpr int kSequenceLength = 64;
constexpr int kLargeAlphabet = 500;  // from which on an embedding is smaller and faster than one-hot input

// Two layers learn more in the same time than one that costs as much: 1.4635 against 1.4928 (512 units) and 1.5054
// (384) in three minutes of tinyshakespeare.
constexpr int kLayers = 2;
constexpr double kUnits = 256;  // what most was measured with

// Units that the time suffices for: what a unit costs and what must be seen to use it grow together, so that four times
// the work asks for less than half as many again.
double units_for(double multiply_adds) {
  constexpr double kMultiplyAdds = 24e12;  // three minutes of two cores with AVX-512 and bf16
  return kUnits * std::pow(multiply_adds / kMultiplyAdds, 0.25);
}

// Units beyond which a text of that size is learned by heart.
double units_for_text(std::int64_t tokens) {
  constexpr double kUnitsOfAMillion = 512;
  constexpr double kTokens = 1e6;
  return kUnitsOfAMillion * std::pow(static_cast<double>(tokens) / kTokens, 0.35);
}

int in_panels(double units) {
  constexpr int kPanel = 16;
  constexpr int kFewest = 48;
  constexpr int kMost = 2048;
  return std::clamp(static_cast<int>(std::lround(units / kPanel)) * kPanel, kFewest, kMost);
}

// The wider, the smaller: sums of more products change by more. 4e-3 instead costs 0.06 nats after a minute and a half.
double rate_for(int units) {
  constexpr double kRate = 0.011;  // of kUnits
  return std::round(1e4 * std::min(kRate, kRate * kUnits / units)) / 1e4;
}

constexpr double kManyEpochs = 30;

// Against learning by heart, by how often the text is walked over: after 6 times 0.2 learns 0.03 nats more than 0.35,
// after 27 times 0.03 less, and 0.5 0.01 less; after 12 times one text learns most with 0.2, another as much with 0.3
// as with 0.35 and 0.01 less with 0.2. In fewer than 60 times narrow layers cannot spare half of their units: after 30
// of them 64 units learn 0.11 nats more with 0.2 than with 0.5, 112 learn 0.02.
float dropout_for(double epochs, int units) {
  const bool few = epochs < 60;
  if (epochs < 3) return 0;
  if (epochs < 9 || (few && units < 96)) return 0.2F;
  if (epochs < 16) return 0.3F;
  return epochs < kManyEpochs || (few && units < 160) ? 0.35F : 0.5F;
}

// Where dropout no longer suffices. After 15 epochs 0.3 costs 0.035 nats; after 40 epochs of 100,000 characters 0.4
// gains 0.003 over the best moment without, after 100 of 20,000 it gains 0.13.
float weight_drop_for(double epochs, float dropout) { return epochs < kManyEpochs || dropout < 0.5F ? 0.0F : 0.4F; }

}  // namespace

double training_speed(const ModelOptions& model, int batch_size, const Machine& machine, double seconds) {
  constexpr double kFlopsOfAMultiplyAdd = 2;
  Workload workload = find_workload("anna");  // for its alphabet, that of a novel
  workload.model = model;
  workload.train.batch_size = batch_size;
  workload.train.sequence_length = kSequenceLength;
  const BenchResult measured = bench(
      workload, {.seconds = seconds, .threads = machine.threads, .precision = machine.precision, .probes = false});
  return measured.gflops * 1e9 / kFlopsOfAMultiplyAdd;
}

TextSize size_of(const text::Corpus& corpus) {
  return {std::ssize(corpus.train), std::ssize(corpus.validation), corpus.vocabulary.size(),
          !corpus.train_ends.empty()};
}

TrainingPlan plan_training(double minutes, double multiply_adds_per_second, const TextSize& text, const Shape& asked) {
  const double budget = 60 * minutes * multiply_adds_per_second;
  const double by_time = units_for(budget);
  const double by_text = units_for_text(text.training);
  TrainingPlan plan;
  ModelOptions& model = plan.model;
  TrainOptions& train = plan.train;
  model.cell = asked.cell.value_or(Cell::lstm);
  model.layers = asked.layers.value_or(kLayers);
  model.hidden_size = asked.hidden_size.value_or(in_panels(std::min(by_time, by_text)));
  plan.choices.push_back(
      {summary(model), asked.hidden_size ? "as asked for"
                       : by_time <= by_text
                           ? fmt::format("as large as {:g} minutes at {:.0f} billion multiply-adds a second can train",
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

  model.dropout = dropout_for(plan.epochs, model.hidden_size);
  plan.choices.push_back({model.dropout > 0 ? fmt::format("dropout {:g}", model.dropout) : "no dropout",
                          fmt::format("the text is walked over {:.1f} times", plan.epochs)});
  if (model::traits_of(model.cell).recurrent) model.weight_drop = weight_drop_for(plan.epochs, model.dropout);
  if (model.weight_drop > 0) {
    plan.choices.push_back(
        {fmt::format("weight-drop {:g}", model.weight_drop), "it would learn the text by heart all the same"});
  }

  train.output_bias = OutputBias::frequencies;
  if (model.cell == Cell::lstm) {
    model.forget_bias = 1.0F;
    plan.choices.push_back({"forget and output bias set", "it remembers at first, and guesses what is frequent"});
  } else {
    plan.choices.push_back({"output bias set", "it guesses what is frequent at first"});
  }

  train.optimizer.learning_rate = rate_for(model.hidden_size);
  train.schedule.kind = ScheduleKind::cosine;
  train.schedule.warmup = {std::clamp(std::round(steps / 20), 1.0, 200.0), Period::Unit::steps};
  plan.choices.push_back({fmt::format("learning rate {:g}, falling to 0", train.optimizer.learning_rate),
                          "large steps first, small ones to settle"});

  // Evaluations, forward alone, may take a twentieth of the time.
  constexpr double kEvaluations = 10;
  constexpr double kShare = 0.05;
  const double evaluation = static_cast<double>(text.validation) * forward_multiply_adds(model, text.vocabulary_size) /
                            multiply_adds_per_second / 60;
  train.eval_every = {std::max(minutes / kEvaluations, evaluation / kShare), Period::Unit::minutes};
  train.duration = {minutes, Period::Unit::minutes};
  return plan;
}

TrainingPlan plan_training(double minutes, const Machine& machine, const TextSize& text, const Shape& asked) {
  ModelOptions middling;
  middling.cell = asked.cell.value_or(Cell::lstm);
  middling.layers = asked.layers.value_or(kLayers);
  middling.hidden_size = asked.hidden_size.value_or(static_cast<int>(kUnits));
  const double seconds = std::min(0.5, 60 * minutes / 200);  // of each of two measurements
  const double middling_speed = training_speed(middling, kSmallestBatch, machine, seconds);
  const TrainingPlan first = plan_training(minutes, middling_speed, text, asked);
  const double speed = training_speed(first.model, first.train.batch_size, machine, seconds);
  return plan_training(minutes, speed, text, asked);
}

}  // namespace rune::tools
