#pragma once

#include <optional>
#include <string_view>
#include <type_traits>

#include <rune/options.h>

#include "train/option_table.h"

namespace rune::train {

/// Throws InputError naming the option, its value and what is allowed, also for options that the chosen optimiser does
/// not have.
void validate(const TrainOptions& options);
/// The text's options, and how they fit the training's.
void validate(const TextOptions& text, const TrainOptions& train);

/// How the samples of a training are drawn.
SampleOptions sampling_of(const TrainOptions& options);

/// The weight decay in force: as given, else PyTorch's default for the optimiser.
double weight_decay(const OptimizerOptions& options);

// One row of the option table. Values that are neither numbers nor periods have no limits.
void check_limits(std::string_view option, double value, const Limits& limits);
void check_limits(std::string_view option, const Period& value, const Limits& limits);
template <class Value>
void check_limits(std::string_view option, const Value& value, const Limits& limits) {
  if constexpr (std::is_arithmetic_v<Value>) check_limits(option, static_cast<double>(value), limits);
}
template <class Value>
void check_limits(std::string_view option, const std::optional<Value>& value, const Limits& limits) {
  if (value) check_limits(option, *value, limits);
}

}  // namespace rune::train
