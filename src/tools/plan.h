#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rune/options.h>

#include "text/corpus.h"
#include "tools/workload.h"

/// What to train where nothing is asked for but a time: docs/training.md.
namespace rune::tools {

/// What a plan must know of a text.
struct TextSize {
  std::int64_t training = 0;    // tokens
  std::int64_t validation = 0;  // tokens
  int vocabulary_size = 0;
  bool records = false;
};

TextSize size_of(const text::Corpus& corpus);

struct Choice {
  std::string what;  // "LSTM 1 x 384"
  std::string why;
};

struct TrainingPlan {
  ModelOptions model;
  TrainOptions train;
  double characters_per_second = 0;  // that training will reach
  double epochs = 0;                 // in the time
  std::vector<Choice> choices;
};

/// What trains.
struct Machine {
  int threads = 0;  // 0: one for each processor
  Precision precision = Precision::automatic;
};

/// Multiply-adds a second that training a model reaches here, measured for so long, and four steps at least: what a
/// character needs forward and backward, as forward_multiply_adds() counts, times characters a second.
double training_speed(const ModelOptions& model, int batch_size, const Machine& machine, double seconds);

/// A plan for so many minutes, above 0, at that speed; of the shape, cell, layers and hidden size are taken where they
/// are set. A function of its arguments.
TrainingPlan plan_training(double minutes, double multiply_adds_per_second, const TextSize& text,
                           const Shape& asked = {});
/// A plan for this machine. Its speed depends on the model, and the model on its speed: a plan at the speed of a
/// middling model says which one to measure for the plan that is returned. Takes a hundredth of the time, at most a
/// second or two.
TrainingPlan plan_training(double minutes, const Machine& machine, const TextSize& text, const Shape& asked = {});

}  // namespace rune::tools
