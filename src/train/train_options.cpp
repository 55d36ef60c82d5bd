#include "train/train_options.h"

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <rune/error.h>

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

void validate(const ScheduleOptions& schedule) {
  refuse_minutes("the schedule's period", schedule.period);
  refuse_minutes("warmup", schedule.warmup);
  check_limits("the schedule's period", schedule.period, kPositive);
  check_limits("the schedule's factor", schedule.factor, kPositive);
  check_limits("the schedule's cycle multiplier", schedule.cycle_multiplier, kAtLeastOne);
  check_limits("the schedule's final learning rate", schedule.final_learning_rate, kNotNegative);
  for (const ScheduleOptions::Stage& stage : schedule.stages) {
    refuse_minutes("a stage's length", stage.length);
    check_limits("a stage's length", stage.length, kPositive);
    check_limits("a stage's learning rate", stage.learning_rate, kPositive);
  }
  if (schedule.kind == ScheduleKind::stages && schedule.stages.empty()) {
    throw InputError("expected at least one stage in the schedule, found none");
  }
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

}  // namespace

void validate(const TrainOptions& options) {
  const auto check = [](std::string_view option, const auto& value, const Limits& limits, std::string_view) {
    check_limits(option, value, limits);
  };
  visit_train_options(options, check);
  visit_optimizer_options(options, check);
  validate(options.optimizer);
  validate(options.schedule);
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
