#pragma once

#include <limits>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "train/option_text.h"
#include "train/schedule.h"

/// The table of all options of a run: name, limits and a few words on each. Reading, writing and checking a
/// configuration walk over it.
namespace rune::train {

/// What a number may be. The number of a period is its value.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  bool low_allowed = true;
  double high = std::numeric_limits<double>::infinity();
  bool high_allowed = true;
};
inline constexpr Limits kAny{};
inline constexpr Limits kPositive{.low = 0, .low_allowed = false};
inline constexpr Limits kNotNegative{.low = 0};
inline constexpr Limits kAtLeastOne{.low = 1};
inline constexpr Limits kBelowOne{.low = 0, .high = 1, .high_allowed = false};

// A visitor is called as visit(name, value, limits, comment). Model options have their limits in model::validate.

template <class Model, class Visitor>
void visit_model_options(Model& model, Visitor&& visit) {
  visit("cell", model.cell, kAny, list_names<Cell>());
  visit("nonlinearity", model.nonlinearity, kAny, list_names<Nonlinearity>() + "; rnn only");
  visit("layers", model.layers, kAny, "");
  visit("hidden_size", model.hidden_size, kAny, "units in a layer");
  visit("embedding", model.embedding, kAny, "its size; 0: one-hot input");
  visit("dropout", model.dropout, kAny, "probability, between the layers");
  visit("output_dropout", model.output_dropout, kAny, "probability, before the projection");
  visit("init", model.init, kAny, list_names<Initialization>());
  visit("forget_bias", model.forget_bias, kAny, "where the forget gate's bias starts; lstm only");
}

template <class Train, class Visitor>
void visit_train_options(Train& train, Visitor&& visit) {
  visit("batch_size", train.batch_size, kAtLeastOne, "streams side by side");
  visit("sequence_length", train.sequence_length, kAtLeastOne, "characters of a stream in a step");
  visit("validation_fraction", train.validation_fraction, kBelowOne, "the tail of the text; 0: none");
  visit("clip_norm", train.clip_norm, kNotNegative, "longest gradient; 0: no limit");
  visit("duration", train.duration, kPositive, "500 steps, 20e epochs, 10m minutes");
  visit("eval_every", train.eval_every, kPositive, "as duration");
  visit("save_every", train.save_every, kPositive, "as duration");
  visit("protocol", train.protocol, kAny, "evaluation: rows:N, stream, windows:N");
  visit("sample_length", train.sample_length, kNotNegative, "characters written at an evaluation; 0: none");
  visit("sample_temperature", train.sample_temperature, kNotNegative, "0: the most probable character");
  visit("seed", train.seed, (Limits{.low = 0, .high = 0x1p63, .high_allowed = false}), "");
  visit("threads", train.threads, kNotNegative, "0: one for each processor");
}

template <class Train, class Visitor>
void visit_optimizer_options(Train& train, Visitor&& visit) {
  auto& optimizer = train.optimizer;
  visit("kind", optimizer.kind, kAny, list_names<OptimizerKind>());
  visit("learning_rate", optimizer.learning_rate, kPositive, "");
  visit("schedule", train.schedule, kAny, list_names<ScheduleKind>() + " with their values");
  visit("warmup", train.schedule.warmup, kNotNegative, "steps or epochs of linear rise; 0: none");
  visit("beta1", optimizer.beta1, kBelowOne, "adam, adamw");
  visit("beta2", optimizer.beta2, kBelowOne, "adam, adamw");
  visit("eps", optimizer.eps, kNotNegative, "adam, adamw, rmsprop");
  visit("weight_decay", optimizer.weight_decay, kNotNegative, "adamw: decoupled; else added to the gradient");
  visit("momentum", optimizer.momentum, kBelowOne, "sgd, rmsprop");
  visit("nesterov", optimizer.nesterov, kAny, "sgd");
  visit("alpha", optimizer.alpha, kBelowOne, "rmsprop");
}

}  // namespace rune::train
