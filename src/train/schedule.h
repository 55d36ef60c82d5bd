#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "train/epochs.h"

namespace rune::train {

/// The learning rate of a step, counted from 0: a pure function, so that a resumed run needs no state for it.
///
/// With s = step - warm-up steps, both s and the periods counted in steps or, where the period is one of epochs, in
/// epochs:
///   constant     base
///   step         base * factor^floor(s / period)                   PyTorch's StepLR
///   exponential  base * factor^(s / period)                        ExponentialLR at every period, smooth in between
///   cosine       final + (base - final) * (1 + cos(pi s / T)) / 2  CosineAnnealingLR, T = total - warm-up steps
///   restarts     the same, s and T being those of the cycle        CosineAnnealingWarmRestarts; with a slow start the
///                first steps of all have base / 100 instead, as fastai 0.7 does
///   wsd          base, until the last decay_fraction of the schedule: there base * (1 - p), or base * (1 - sqrt(p)),
///                p being the share of it that is over; warm-up, stable, decay
///   stages       the rate of the stage that s lies in; `base` is not used
/// Warm-up step i of W has the rate of s = 0 times (i + 1) / (W + 1). `total_steps` 0: not known yet, so cosine and
/// wsd stay at their start. Where one schedule follows another, each counts from its own start, and its own length is
/// its total.
double learning_rate(const ScheduleOptions& options, double base, std::int64_t step, const Epochs& epochs,
                     std::int64_t total_steps);

/// How many cycles of restarts are over at a step. A cycle that the next schedule cuts short counts when it is cut.
std::int64_t cycles_over(const ScheduleOptions& options, std::int64_t step, const Epochs& epochs);

/// The forms that parse_schedule reads, for help and messages.
inline constexpr std::string_view kScheduleForms =
    "constant, step:PERIOD:FACTOR, exponential:FACTOR[:PERIOD], cosine[:FINAL_LR], "
    "restarts:PERIOD[:MULTIPLIER[:FINAL_LR[:SLOW_START]]], "
    "stages:LR@PERIOD,LR@PERIOD..., wsd[:FRACTION[:linear|sqrt]], or several: FORM@PERIOD then FORM@PERIOD ...";

/// A schedule without its warm-up (an option of its own). Throws InputError naming the option, the text and the form
/// that was expected.
ScheduleOptions parse_schedule(std::string_view text, std::string_view option);
/// The text that parse_schedule turns into the same schedule; warm-up left out.
std::string to_string(const ScheduleOptions& options);

}  // namespace rune::train
