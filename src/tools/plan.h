#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rune/options.h>

#include "text/corpus.h"

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

/// Multiply-adds a second that training reaches here with so many threads (0: one for each processor) in a precision:
/// those of a middling workload of `rune bench`, measured for about two seconds.
double training_speed(int threads, Precision precision);

/// A plan for so many minutes, above 0, at that speed. A function of its arguments.
TrainingPlan plan_training(double minutes, double multiply_adds_per_second, const TextSize& text);

}  // namespace rune::tools
