#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <rune/options.h>

namespace rune::train {

/// Everything needed to start the same run again: config.toml, every value resolved.
struct RunConfig {
  std::vector<std::filesystem::path> texts;               // absolute, or relative to the run directory
  std::vector<std::filesystem::path> validation_texts{};  // absolute: measured on instead of a part of the texts
  std::filesystem::path from;  // absolute: the model whose weights training starts from; empty: new ones
  TextOptions text;
  ModelOptions model;
  TrainOptions train;
};

/// TOML, grouped and commented; reading refuses unknown keys with a suggestion, wrong types and out-of-range values,
/// with line and column.
std::string to_toml(const RunConfig& config);
RunConfig run_config_from_toml(const std::string& toml, const std::string& name);

/// What is known of a system that a recipe restates.
struct Published {
  struct Point {
    double epoch = 0;
    double loss = 0;  // nats per character
  };
  std::string note;                  // what to expect, for a report
  std::vector<Point> train;          // shown; judged only with a train_tolerance
  std::vector<Point> validation;     // the last one is the figure to reach
  std::string curve;                 // a CSV file of more points, beside the corpus
  std::string curve_system;          // the rows of it, where a column `system` tells them apart
  double train_tolerance = 0;        // relative; 0: not judged
  double validation_tolerance = 0;   // relative, of the last point; 0: not judged
  double milestone_tolerance = 0;    // nats, of all points of validation and curve; 0: not judged
  std::int64_t milestones_from = 0;  // > 0: the curve's points are judged as well, from this step on
  int recites = 0;                   // so many samples must be the first record, and end
  bool greedy_loop = false;          // the most probable text must run in a circle
};

/// A configuration for any text, and what to know of it.
struct Recipe {
  std::string name;
  std::vector<std::string> aliases;
  std::string summary;  // one line
  std::string corpus;   // the file that its figures belong to
  RunConfig config;     // without texts
  Published published;
  std::string toml;  // as it was written, with its comments
};

/// The tables of a configuration, each value optional, with `summary`, `aliases`, `corpus` and [published]. Throws as
/// run_config_from_toml does.
Recipe recipe_from_toml(const std::string& toml, const std::string& name);

}  // namespace rune::train
