#include "tools/curves.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "train/option_text.h"

namespace rune::tools {
namespace {

namespace fs = std::filesystem;

using Value = std::optional<double> CurvePoint::*;

struct Field {
  std::string_view name;  // the key in metrics.jsonl, the column in a CSV file
  Value value;
};
constexpr Field kFields[] = {{"step", &CurvePoint::step},
                             {"epoch", &CurvePoint::epoch},
                             {"characters", &CurvePoint::characters},
                             {"seconds", &CurvePoint::seconds},
                             {"train_loss", &CurvePoint::train_loss},
                             {"validation_loss", &CurvePoint::validation_loss},
                             {"learning_rate", &CurvePoint::learning_rate},
                             {"gradient_norm", &CurvePoint::gradient_norm},
                             {"characters_per_second", &CurvePoint::characters_per_second}};
// Other names that published tables use.
constexpr Field kOtherNames[] = {{"train_ema", &CurvePoint::train_loss}, {"validation", &CurvePoint::validation_loss}};

// Calls `read(line, number, whole)` for the lines of a text; `whole` is false for a last one without a newline.
template <class Read>
void for_each_line(std::string_view text, const Read& read) {
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const bool whole = end != std::string_view::npos;
    read(text.substr(0, end), number, whole);
    text.remove_prefix(whole ? end + 1 : text.size());
  }
}

// Without a slash at the end, and never empty.
fs::path last_part(const fs::path& path) {
  return (fs::absolute(path).lexically_normal() / "").parent_path().filename();
}

void expect_loss(const Curve& curve, const fs::path& file) {
  if (std::ranges::any_of(curve.points, &CurvePoint::has_loss)) return;
  throw InputError(fmt::format(
      "{}: expected lines with a loss, found {}", file.string(),
      curve.points.empty() ? "none; a run writes the first with its first evaluation" : "only lines without"));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The fields of a row. One in quotes may hold commas; "" is a quote in it.
std::vector<std::string> split_row(std::string_view row) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '"' && quoted && i + 1 < row.size() && row[i + 1] == '"') {
      fields.back() += row[++i];
    } else if (row[i] == '"') {
      quoted = !quoted;
    } else if (row[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += row[i];
    }
  }
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

bool is_missing(std::string_view field) {
  return field.empty() || (field.size() == 3 && std::ranges::equal(field, std::string_view("nan"), [](char c, char n) {
                             return std::tolower(static_cast<unsigned char>(c)) == n;
                           }));
}

// The rows of a CSV file after its first, which says where they hold what.
class Table {
 public:
  Table(std::string_view header, std::string_view system) : columns_(split_row(header).size()), wanted_(system) {
    const std::vector<std::string> names = split_row(header);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "system") system_ = i;
      if (names[i] == "stage") stage_ = i;
      const Value value = value_named(names[i]);
      if (value == nullptr) continue;
      if (has({value})) throw InputError(fmt::format("expected one column {}, found two", names[i]));
      columns_[i] = value;
    }
    using Point = CurvePoint;
    if (!has({&Point::step, &Point::epoch, &Point::characters, &Point::seconds}) ||
        !has({&Point::train_loss, &Point::validation_loss})) {
      throw InputError(
          fmt::format("expected a row that names the columns, one of them step, epoch, characters or "
                      "seconds, one of them train_loss or validation_loss, found '{}'",
                      fmt::join(names, ",")));
    }
  }

  // Empty for a torn last row, and for another system's. Throws InputError without a place.
  [[nodiscard]] std::optional<CurvePoint> point(std::string_view row, bool whole) {
    const std::vector<std::string> fields = split_row(row);
    if (fields.size() < columns_.size() && !whole) return std::nullopt;
    if (fields.size() != columns_.size()) {
      throw InputError(
          fmt::format("expected {} fields, as in the first row, found {}", columns_.size(), fields.size()));
    }
    if (system_) {
      if (wanted_.empty()) wanted_ = fields[*system_];  // the only one, unless another comes
      if (fields[*system_] != wanted_ && read_all_) throw InputError("expected the rows of one system, found another");
      if (fields[*system_] != wanted_) return std::nullopt;
    }
    CurvePoint point;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (columns_[i] == nullptr || is_missing(fields[i])) continue;
      point.*columns_[i] = train::parse_number(fields[i], name_of(columns_[i]));
    }
    if (stage_ && point.epoch) {
      if (fields[*stage_] != last_stage_) epochs_before_ += std::exchange(last_epoch_, 0.0);
      last_stage_ = fields[*stage_];
      last_epoch_ = *point.epoch;
      *point.epoch += epochs_before_;
    }
    return point;
  }

 private:
  static Value value_named(std::string_view name) {
    for (const std::span<const Field> fields : {std::span<const Field>(kFields), std::span<const Field>(kOtherNames)}) {
      const auto field = std::ranges::find(fields, name, &Field::name);
      if (field != fields.end()) return field->value;
    }
    return nullptr;
  }
  static std::string_view name_of(Value value) { return std::ranges::find(kFields, value, &Field::value)->name; }
  [[nodiscard]] bool has(std::initializer_list<Value> values) const {
    return std::ranges::any_of(values,
                               [&](Value value) { return std::ranges::find(columns_, value) != columns_.end(); });
  }

  std::vector<Value> columns_;  // null: a column that is ignored
  std::optional<std::size_t> system_;
  std::optional<std::size_t> stage_;
  std::string wanted_;  // system; empty: not asked for, and none seen yet
  bool read_all_ = wanted_.empty();
  std::string last_stage_;
  double last_epoch_ = 0;
  double epochs_before_ = 0;  // in earlier stages
};

}  // namespace

std::optional<double> CurvePoint::at(Axis axis) const {
  switch (axis) {
    case Axis::steps:
      return step;
    case Axis::epochs:
      return epoch;
    case Axis::characters:
      return characters;
    case Axis::seconds:
      break;
  }
  return seconds;
}

std::optional<CurvePoint> metrics_point(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("step")) return std::nullopt;
  CurvePoint point;
  for (const Field& field : kFields) {
    const auto found = json.find(field.name);
    if (found == json.end() || found->is_null()) continue;
    if (!found->is_number()) {
      throw InputError(
          fmt::format("expected {} to be a number or null, found a JSON {}", field.name, found->type_name()));
    }
    point.*field.value = found->get<double>();
  }
  return point;
}

std::optional<double> metrics_value(std::string_view line, std::string_view key) {
  const std::size_t found = line.find(key);
  if (found == std::string_view::npos) return std::nullopt;
  double value = 0;
  const char* const begin = line.data() + found + key.size();
  if (std::from_chars(begin, line.data() + line.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

std::vector<CurvePoint> read_points(const fs::path& metrics, double after_step) {
  std::vector<CurvePoint> points;
  if (!fs::exists(metrics)) return points;
  const std::string content = read_file(metrics);
  for_each_line(content, [&](std::string_view line, int number, bool whole) {
    // A page asks for the end of a long training again and again.
    if (const auto step = metrics_value(line, "\"step\":"); step && *step <= after_step) return;
    try {
      if (const auto point = metrics_point(line)) {
        if (point->step.value_or(0) > after_step) points.push_back(*point);
      } else if (whole) {
        throw InputError("expected a JSON object with a step, found something else");
      }
    } catch (const InputError& error) {
      throw InputError(
          fmt::format("{}:{}: {}; remove the line to draw the others", metrics.string(), number, error.what()));
    }
  });
  return points;
}

Curve read_run(const fs::path& run) {
  const fs::path file = run / "metrics.jsonl";
  if (!fs::is_directory(run)) {
    throw InputError(fmt::format("expected a run directory, found {} '{}'", fs::exists(run) ? "a file:" : "nothing at",
                                 run.string()));
  }
  if (!fs::exists(file)) {
    throw InputError(fmt::format("expected a run directory, found no metrics.jsonl in '{}'", run.string()));
  }
  Curve curve{.label = last_part(run).string(), .points = read_points(file)};
  expect_loss(curve, file);
  return curve;
}

const CurvePoint* point_at(const Curve& curve, const CurvePoint& place) {
  constexpr double kSameEpoch = 1e-6;
  const auto found = std::ranges::find_if(curve.points, [&](const CurvePoint& point) {
    if (point.step && place.step) return *point.step == *place.step;
    return point.epoch && place.epoch && std::abs(*point.epoch - *place.epoch) < kSameEpoch;
  });
  return found == curve.points.end() ? nullptr : &*found;
}

Curve read_csv(const fs::path& file, std::string_view system) {
  const std::string content = read_file(file);
  std::string_view text = content;
  if (constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF"; text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Curve curve{.label = file.stem().string(), .points = {}};
  std::optional<Table> table;
  for_each_line(text, [&](std::string_view row, int number, bool whole) {
    try {
      if (!table) {
        table.emplace(row, system);
      } else if (!trimmed(row).empty()) {
        if (const auto point = table->point(row, whole)) curve.points.push_back(*point);
      }
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}:{}: {}", file.string(), number, error.what()));
    }
  });
  if (!table) throw InputError(fmt::format("{}: expected a row that names the columns, found nothing", file.string()));
  expect_loss(curve, file);
  return curve;
}

std::vector<Curve> read_curves(std::span<const fs::path> runs, std::span<const fs::path> csv_files) {
  std::vector<Curve> curves;
  std::vector<std::string> names;
  curves.reserve(runs.size() + csv_files.size());
  names.reserve(runs.size() + csv_files.size());
  for (const fs::path& run : runs) curves.push_back(read_run(run));
  for (const fs::path& file : csv_files) curves.push_back(read_csv(file));
  for (const Curve& curve : curves) names.push_back(curve.label);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (std::ranges::count(names, names[i]) == 1) continue;
    curves[i].label = (i < runs.size() ? runs[i] : csv_files[i - runs.size()]).string();
  }
  return curves;
}

}  // namespace rune::tools
