#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/curves.h"
#include "train/config.h"
#include "train/trainer.h"

/// Runs recipes on the texts that their published figures belong to, and judges the results.
namespace rune::tools {

struct ReproductionOptions {
  std::filesystem::path data;        // texts and published curves
  std::filesystem::path output;      // runs/<system>-<seed>; a run that is there already is gone on with
  std::vector<std::string> systems;  // recipes' names, aliases or beginnings ("holmes-2"); empty: all that have a text
  std::vector<std::string> skip;     // the same
  std::optional<double> max_epochs;  // where a system would train longer
  int seeds = 0;  // 0: three where the first takes less than two minutes, else one; and those that are there already
  int threads = 0;
  std::filesystem::path torch_script;             // tools/pytorch_systems.py; empty: no comparison
  std::string torch_python = "/usr/bin/python3";  // a Python that has torch
};

/// One training of a system.
struct SystemRun {
  std::uint64_t seed = 0;
  Period duration;  // that it was made for, at last
  Curve curve;
  std::int64_t characters = 0;  // trained on
  double seconds = 0;
  std::vector<std::string> samples;  // written early, midway and at the end
};

/// One thing that was judged.
struct Check {
  std::string what;
  std::string found;
  bool passed = false;
};

/// A published loss and the median of the runs at the same point.
struct Figure {
  double epoch = 0;
  bool validation = true;
  double published = 0;
  double found = 0;
  [[nodiscard]] double off() const { return found / published - 1; }
};

struct SystemResult {
  train::Recipe recipe;
  std::string configuration;  // in one line
  std::int64_t parameters = 0;
  bool cut_short = false;
  Curve published;
  std::vector<SystemRun> runs;
  std::optional<Figure> last;      // of the published figures that the runs have reached
  std::vector<Check> checks;       // empty: nothing is judged
  std::optional<SystemRun> torch;  // the same system in PyTorch
  [[nodiscard]] bool passed() const;
};

/// Recipes that the options ask for, and those whose text is not there. Throws InputError with a suggestion for a
/// name that is none.
struct Selection {
  std::vector<train::Recipe> systems;
  std::vector<train::Recipe> without_text;
};
Selection select(const ReproductionOptions& options);

/// Trains a system with as many seeds as asked for, or goes on where it was interrupted, and judges it. `observer` is
/// given to the trainings. Empty: a stop was requested.
std::optional<SystemResult> reproduce(const train::Recipe& recipe, const ReproductionOptions& options,
                                      const train::Observer& observer,
                                      const std::function<void(const std::string&)>& say);

/// Writes report.md, report.html and a picture for each system into options.output.
void write_report(const std::vector<SystemResult>& results, const Selection& selection,
                  const ReproductionOptions& options);

}  // namespace rune::tools
