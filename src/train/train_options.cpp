#include "train/train_options.h"

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <rune/error.h>

#include "generate/evaluation.h"
#include "text/corpus.h"
#include "train/period.h"

namespace rune::train {
namespace {

bool within(double value, const Limits& limits) {
  const bool above = limits.low_allowed ? value >= limits.low : value > limits.low;
  const bool below = limits.high_allowed ? value <= limits.high : value < limits.high;
  return above && below && std::isfinite(value);
}

std::string describe(const Limits& limits) {
  std::string text;
  if (std::isfinite(limits.low)) text = fmt::format("{} {}", limits.low_allowed ? "at least" : "above", limits.low);
  if (std::isfinite(limits.high)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", limits.high_allowed ? "at most" : "below", limits.high);
  }
  return text.empty() ? "a finite number" : text;
}

[[noreturn]] void refuse(std::string_view option, const std::string& found, const Limits& limits) {
  throw InputError(fmt::format("expected {} to be {}, found {}", option, describe(limits), found));
}

void refuse_minutes(std::string_view option, const Period& period) {
  if (period.unit != Period::Unit::minutes) return;
  throw InputError(
      fmt::format("expected {} to be in steps or epochs (2e), found '{}': a learning rate depends on the step alone",
                  option, to_string(period)));
}

void validate_phase(const ScheduleOptions& schedule) {
  refuse_minutes("the schedule's period", schedule.period);
  refuse_minutes("the schedule's length", schedule.length);
  refuse_minutes("the slow start", schedule.slow_start);
  refuse_minutes("warmup", schedule.warmup);
  check_limits("the schedule's period", schedule.period, kPositive);
  check_limits("the schedule's factor", schedule.factor, kPositive);
  check_limits("the schedule's cycle multiplier", schedule.cycle_multiplier, kAtLeastOne);
  check_limits("the schedule's final learning rate", schedule.final_learning_rate, kNotNegative);
  check_limits("the schedule's decay fraction", schedule.decay_fraction, {.low = 0, .low_allowed = false, .high = 1});
  for (const ScheduleOptions::Stage& stage : schedule.stages) {
    refuse_minutes("a stage's length", stage.length);
    check_limits("a stage's length", stage.length, kPositive);
    check_limits("a stage's learning rate", stage.learning_rate, kPositive);
  }
  if (schedule.kind == ScheduleKind::stages && schedule.stages.empty()) {
    throw InputError("expected at least one stage in the schedule, found none");
  }
}

void validate(const ScheduleOptions& schedule) {
  validate_phase(schedule);
  for (const ScheduleOptions& phase : schedule.then) validate_phase(phase);
}

// An option that would do nothing is refused rather than ignored.
void validate(const OptimizerOptions& options) {
  const OptimizerOptions defaults;
  const OptimizerKind kind = options.kind;
  const bool adam = kind == OptimizerKind::adam || kind == OptimizerKind::adamw;
  const auto belongs = [&](bool applies, bool changed, std::string_view option, std::string_view optimizers) {
    if (!applies && changed) {
      throw InputError(
          fmt::format("expected {} to be left alone with {}: it belongs to {}", option, name_of(kind), optimizers));
    }
  };
  belongs(adam, options.beta1 != defaults.beta1, "beta1", "adam and adamw");
  belongs(adam, options.beta2 != defaults.beta2, "beta2", "adam and adamw");
  belongs(kind != OptimizerKind::sgd, options.eps != defaults.eps, "eps", "adam, adamw and rmsprop");
  belongs(!adam, options.momentum != defaults.momentum, "momentum", "sgd and rmsprop");
  belongs(kind == OptimizerKind::sgd, options.nesterov, "nesterov", "sgd");
  belongs(kind == OptimizerKind::rmsprop, options.alpha != defaults.alpha, "alpha", "rmsprop");
  if (options.nesterov && options.momentum == 0) {
    throw InputError("expected momentum to be above 0 with nesterov, found 0");
  }
}

// The same for batching: what belongs to another kind is refused.
void validate_batching(const TrainOptions& options) {
  const TrainOptions defaults;
  const auto belongs = [&](bool applies, bool changed, std::string_view option, std::string_view kinds) {
    if (!applies && changed) {
      throw InputError(fmt::format("expected {} to be left alone with batching {}: it belongs to {}", option,
                                   name_of(options.batching), kinds));
    }
  };
  const bool streams = options.batching == Batching::streams;
  const bool windows = options.batching == Batching::windows;
  belongs(streams, options.sequence_lengths != defaults.sequence_lengths, "sequence_lengths", "streams");
  belongs(streams, options.reset_state != defaults.reset_state, "reset_state", "streams");
  belongs(streams, options.sequence_doubling != defaults.sequence_doubling, "sequence_doubling", "streams");
  belongs(streams, options.random_offsets, "random_offsets", "streams");
  belongs(windows, options.stride != defaults.stride, "stride", "windows");
  belongs(windows, options.partial_window != defaults.partial_window, "partial_window", "windows");
  belongs(windows, options.loss_on != defaults.loss_on, "loss_on", "windows");
  belongs(!streams, options.shuffle, "shuffle", "windows and records");
  if (options.reset_state == ResetState::document && options.sequence_lengths != SequenceLengths::fixed) {
    throw InputError("expected fixed sequence_lengths with reset_state document, found random ones");
  }
  const bool random_lengths = options.sequence_lengths == SequenceLengths::random;
  if (options.random_offsets && (random_lengths || options.reset_state != ResetState::epoch)) {
    throw InputError(
        "expected fixed sequence_lengths and reset_state epoch with random_offsets: every epoch begins elsewhere");
  }
  if (options.sequence_doubling.value > 0 && (random_lengths || options.reset_state == ResetState::document)) {
    throw InputError("expected fixed sequence_lengths and no reset_state document with sequence_doubling");
  }
  refuse_minutes("sequence_doubling", options.sequence_doubling);
  const bool other_protocol = options.protocol && options.protocol->kind != Protocol::Kind::batches;
  if (options.reset_state == ResetState::never && other_protocol) {
    throw InputError(
        fmt::format("expected the protocol batches with reset_state never, which carries training's state through "
                    "validation, found {}",
                    generate::to_string(*options.protocol)));
  }
}

}  // namespace

void validate(const TextOptions& text, const TrainOptions& train) {
  visit_text_options(text, [](std::string_view option, const auto& value, const Limits& limits, std::string_view) {
    check_limits(option, value, limits);
  });
  const TextForm& form = text.form;
  const bool windows = text::splits_windows(text);
  if (text.validation_split == ValidationSplit::documents && form.records != Records::none) {
    throw InputError("expected validation_split to be tail with records, found documents");
  }
  if (form.documents && form.records != Records::none) {
    throw InputError("expected documents in a running text, found them with records, which have an <EOS> of their own");
  }
  if (train.reset_state == ResetState::document && !form.documents) {
    throw InputError("expected documents with reset_state document, found none; add documents, or reset it otherwise");
  }
  if (form.records == Records::jsonl && form.field.empty()) {
    throw InputError("expected the name of a field with records jsonl, found none; see field");
  }
  const bool has_fields =
      form.records == Records::csv || form.records == Records::tsv || form.records == Records::jsonl;
  if (!form.field.empty() && !has_fields) {
    throw InputError(fmt::format("expected records csv, tsv or jsonl with a field ('{}'), found {}", form.field,
                                 name_of(form.records)));
  }
  if (form.lowercase && form.fold_case) throw InputError("expected lowercase or fold_case, found both");
  if (windows && train.batching != Batching::windows) {
    throw InputError(fmt::format("expected validation_split to be tail with batching {}, found {}",
                                 name_of(train.batching), name_of(text.validation_split)));
  }
  if (windows && train.protocol && train.protocol->kind != Protocol::Kind::batches) {
    throw InputError(fmt::format("expected the protocol batches where windows are split, found {}",
                                 generate::to_string(*train.protocol)));
  }
  if (windows && text.validation_characters) {
    throw InputError("expected validation_windows where windows are split, found validation_characters");
  }
  if (!windows && text.validation_windows) {
    throw InputError("expected validation_windows to be left alone where windows are not split");
  }
  if (text.form.records != Records::none && text.validation_characters) {
    throw InputError("expected validation_fraction with records, found validation_characters");
  }
  if (train.batching == Batching::records && text.form.records == Records::none) {
    throw InputError(fmt::format("expected records to be one of {}, but not none, with batching records, found none",
                                 list_names<Records>()));
  }
}

void validate(const TrainOptions& options) {
  const auto check = [](std::string_view option, const auto& value, const Limits& limits, std::string_view) {
    check_limits(option, value, limits);
  };
  visit_train_options(options, check);
  visit_sample_options(options, check);
  visit_optimizer_options(options, check);
  validate_batching(options);
  validate(options.optimizer);
  validate(options.schedule);
}

SampleOptions sampling_of(const TrainOptions& options) {
  return {.temperature = static_cast<float>(options.sample.temperature),
          .seed = options.seed,
          .start_twice = options.sample.start_twice,
          .window = options.sample.window,
          .window_state = options.sample.window_state,
          .threads = options.threads};
}

double weight_decay(const OptimizerOptions& options) {
  return options.weight_decay.value_or(options.kind == OptimizerKind::adamw ? 0.01 : 0.0);
}

void check_limits(std::string_view option, double value, const Limits& limits) {
  if (!within(value, limits)) refuse(option, fmt::format("{}", value), limits);
}

void check_limits(std::string_view option, const Period& value, const Limits& limits) {
  if (!within(value.value, limits)) refuse(option, "'" + to_string(value) + "'", limits);
}

}  // namespace rune::train
