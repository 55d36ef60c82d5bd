#include "tools/published.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"

namespace rune::tools {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The rows of a file, by the names in its first line.
class Table {
 public:
  explicit Table(const std::filesystem::path& path) : name_(path.string()), text_(read_file(path)) {
    std::erase(text_, '\r');
    for (const std::string_view line : split(text_, '\n')) {
      if (line.empty()) continue;
      rows_.push_back(split(line, ','));
      if (rows_.back().size() != rows_.front().size()) {
        throw InputError(fmt::format("{}: row {}: expected {} fields, found {}", name_, rows_.size(),
                                     rows_.front().size(), rows_.back().size()));
      }
    }
    if (rows_.empty()) throw InputError(fmt::format("{}: expected a row of names, found nothing", name_));
  }

  [[nodiscard]] std::size_t rows() const { return rows_.size() - 1; }
  [[nodiscard]] std::optional<std::string_view> text(std::size_t row, std::string_view column) const {
    const auto found = std::ranges::find(rows_.front(), column);
    if (found == rows_.front().end()) return std::nullopt;
    return rows_[row + 1][static_cast<std::size_t>(found - rows_.front().begin())];
  }
  [[nodiscard]] std::optional<double> number(std::size_t row, std::string_view column) const {
    const auto field = text(row, column);
    if (!field || field->empty()) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(field->data(), field->data() + field->size(), value);
    if (error != std::errc() || end != field->data() + field->size()) {
      throw InputError(fmt::format("{}: row {}: expected a number in {}, found '{}'", name_, row + 2, column, *field));
    }
    return value;
  }

 private:
  std::string name_;
  std::string text_;
  std::vector<std::vector<std::string_view>> rows_;
};

std::optional<double> first_of(const std::optional<double>& a, const std::optional<double>& b) { return a ? a : b; }

Curve from_table(const Table& table, const std::string& system) {
  Curve curve;
  std::string_view stage;
  double epochs_before = 0;  // in earlier stages
  double last_epoch = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!system.empty() && table.text(row, "system").value_or(system) != system) continue;
    const std::string_view row_stage = table.text(row, "stage").value_or(stage);
    if (row_stage != stage) epochs_before += last_epoch;
    stage = row_stage;
    CurvePoint point;
    point.step = table.number(row, "step");
    last_epoch = table.number(row, "epoch").value_or(0);
    // Beside a step the epoch is only the number of the one that the step lies in.
    if (!point.step) point.epoch = epochs_before + last_epoch;
    point.train_loss = first_of(table.number(row, "train_loss"), table.number(row, "train_ema"));
    point.validation_loss = first_of(table.number(row, "validation_loss"), table.number(row, "validation"));
    curve.points.push_back(point);
  }
  return curve;
}

Curve from_points(const train::Published& published) {
  std::map<double, CurvePoint> points;
  for (const auto& [epoch, loss] : published.train) points[epoch].train_loss = loss;
  for (const auto& [epoch, loss] : published.validation) points[epoch].validation_loss = loss;
  Curve curve;
  for (auto& [epoch, point] : points) {
    point.epoch = epoch;
    curve.points.push_back(point);
  }
  return curve;
}

}  // namespace

Curve published_curve(const train::Published& published, const std::filesystem::path& data) {
  const std::filesystem::path file = data / published.curve;
  const bool there = !published.curve.empty() && std::filesystem::exists(file);
  Curve curve = there ? from_table(Table(file), published.curve_system) : from_points(published);
  curve.label = "published";
  return curve;
}

}  // namespace rune::tools
