#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::train {

/// The learning rate of a step, counted from 0: a pure function, so that a resumed run needs no state for it.
///
/// With s = step - warm-up steps, and periods in steps:
///   constant     base
///   step         base * factor^floor(s / period)                   PyTorch's StepLR
///   exponential  base * factor^(s / period)                        ExponentialLR at every period, smooth in between
///   cosine       final + (base - final) * (1 + cos(pi s / T)) / 2  CosineAnnealingLR, T = total - warm-up steps
///   restarts     the same, s and T being those of the cycle        CosineAnnealingWarmRestarts
///   stages       the rate of the stage that s lies in; `base` is not used
/// Warm-up step i of W has the rate of s = 0 times (i + 1) / (W + 1). `total_steps` 0: not known yet, so cosine stays
/// at its start.
double learning_rate(const ScheduleOptions& options, double base, std::int64_t step, std::int64_t steps_per_epoch,
                     std::int64_t total_steps);

/// The forms that parse_schedule reads, for help and messages.
inline constexpr std::string_view kScheduleForms =
    "constant, step:PERIOD:FACTOR, exponential:FACTOR[:PERIOD], cosine[:FINAL_LR], "
    "restarts:PERIOD[:MULTIPLIER[:FINAL_LR]], "
    "stages:LR@PERIOD,LR@PERIOD...";

/// A schedule without its warm-up (an option of its own). Throws InputError naming the option, the text and the form
/// that was expected.
ScheduleOptions parse_schedule(std::string_view text, std::string_view option);
/// The text that parse_schedule turns into the same schedule; warm-up left out.
std::string to_string(const ScheduleOptions& options);

}  // namespace rune::train
