#pragma once

#include <filesystem>
#include <optional>

#include <rune/options.h>

#include "command_line.h"
#include "train/trainer.h"
#include "training_display.h"

namespace rune::app {

/// --epochs, --steps, --minutes: at most one of them.
struct DurationFlags {
  std::optional<double> epochs;
  std::optional<std::int64_t> steps;
  std::optional<double> minutes;

  /// Empty: none was given.
  [[nodiscard]] std::optional<Period> period() const;
};

/// Adds --quiet and --json.
void add_display_options(CommandLine& line, TrainingDisplay::Options& options);

/// Trains until the plan is done or a StopSignal, saves at a SaveSignal, shows it, and says how it went and what to do
/// next. `run` is what the user calls the run directory. Returns the exit code.
int run_training(train::Trainer& trainer, const std::string& run, const TrainingDisplay::Options& options);

}  // namespace rune::app
