#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/option_names.h"

/// The course of trainings: what run directories and published tables say about losses over time.
namespace rune::tools {

/// What a course is drawn over.
enum class Axis { steps, epochs, characters, seconds };

/// What is known about one moment of a training, all of it finite. Empty: the source does not say.
struct CurvePoint {
  std::optional<double> step;
  std::optional<double> epoch;
  std::optional<double> characters;  // trained on since the start
  std::optional<double> seconds;     // of training since the start
  std::optional<double> train_loss;  // nats per character
  std::optional<double> validation_loss;
  std::optional<double> learning_rate;
  std::optional<double> gradient_norm;  // before clipping
  std::optional<double> characters_per_second;

  [[nodiscard]] std::optional<double> at(Axis axis) const;
  [[nodiscard]] bool has_loss() const { return train_loss || validation_loss; }
};

/// A training: one point for each line of its file, in their order; at least one of them has a loss.
struct Curve {
  std::string label;  // any bytes: the name of a file
  std::vector<CurvePoint> points;
};

/// A line of metrics.jsonl; nothing if it is none. Throws InputError without a place if one of its values is no number.
std::optional<CurvePoint> metrics_point(std::string_view line);

/// A number in such a line by its key with quotes and colon. Searched, not parsed: lists read all lines of many runs.
std::optional<double> metrics_value(std::string_view line, std::string_view key);

/// The points of a metrics.jsonl behind a step; none where there is no such file yet. The run may be going on
/// meanwhile: a torn last line is left out. Throws InputError naming file and line, FileError if it cannot be read.
std::vector<CurvePoint> read_points(const std::filesystem::path& metrics, double after_step = -1);

/// The metrics.jsonl of a run directory, labelled with the directory's name. Throws as read_points, and
/// InputError where it holds no loss.
Curve read_run(const std::filesystem::path& run);

/// The point of a curve at the step of `place` or, where one of them has none, at its epoch; null if there is none.
const CurvePoint* point_at(const Curve& curve, const CurvePoint& place);

/// A CSV file, labelled with its name without extension. Its first row names the columns, as metrics.jsonl names its
/// values: one at least of step, epoch, characters and seconds, one at least of train_loss and validation_loss (or
/// train_ema and validation), learning_rate if it likes; others are ignored. An empty field or nan is not known.
/// A column `system` tells the curves of several systems apart, of which `system` is read; epochs that begin again at 1
/// with every new value in a column `stage` are counted on. Throws as read_run.
Curve read_csv(const std::filesystem::path& file, std::string_view system = {});

/// All of them, runs first. Where names are equal, the paths as they are given become the labels.
std::vector<Curve> read_curves(std::span<const std::filesystem::path> runs,
                               std::span<const std::filesystem::path> csv_files);

}  // namespace rune::tools

namespace rune::model {

template <>
inline constexpr std::array<std::string_view, 4> kNames<tools::Axis>{"steps", "epochs", "characters", "seconds"};

}  // namespace rune::model
