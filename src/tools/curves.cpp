#include "tools/curves.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
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
                             {"learning_rate", &CurvePoint::learning_rate}};

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

// Empty if it is not a metrics line. Throws InputError without a place if one of its values is not a number.
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
  explicit Table(std::string_view header) : columns_(split_row(header).size(), nullptr) {
    const std::vector<std::string> names = split_row(header);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto* const field = std::ranges::find(kFields, names[i], &Field::name);
      if (field == std::end(kFields)) continue;
      if (std::ranges::find(columns_, field) != columns_.end()) {
        throw InputError(fmt::format("expected one column {}, found two", field->name));
      }
      columns_[i] = field;
    }
    if (!has({"step", "epoch", "characters", "seconds"}) || !has({"train_loss", "validation_loss"})) {
      throw InputError(
          fmt::format("expected a row that names the columns, one of them step, epoch, characters or "
                      "seconds, one of them train_loss or validation_loss, found '{}'",
                      fmt::join(names, ",")));
    }
  }

  // Empty for a torn last row. Throws InputError without a place.
  [[nodiscard]] std::optional<CurvePoint> point(std::string_view row, bool whole) const {
    const std::vector<std::string> fields = split_row(row);
    if (fields.size() < columns_.size() && !whole) return std::nullopt;
    if (fields.size() != columns_.size()) {
      throw InputError(
          fmt::format("expected {} fields, as in the first row, found {}", columns_.size(), fields.size()));
    }
    CurvePoint point;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (columns_[i] == nullptr || is_missing(fields[i])) continue;
      point.*columns_[i]->value = train::parse_number(fields[i], columns_[i]->name);
    }
    return point;
  }

 private:
  [[nodiscard]] bool has(std::initializer_list<std::string_view> names) const {
    return std::ranges::any_of(columns_, [&](const Field* column) {
      return column != nullptr && std::ranges::find(names, column->name) != names.end();
    });
  }

  std::vector<const Field*> columns_;  // null: a column that is ignored
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

Curve read_run(const fs::path& run) {
  const fs::path file = run / "metrics.jsonl";
  if (!fs::is_directory(run)) {
    throw InputError(fmt::format("expected a run directory, found {} '{}'", fs::exists(run) ? "a file:" : "nothing at",
                                 run.string()));
  }
  if (!fs::exists(file)) {
    throw InputError(fmt::format("expected a run directory, found no metrics.jsonl in '{}'", run.string()));
  }
  Curve curve{.label = last_part(run).string(), .points = {}};
  const std::string content = read_file(file);
  for_each_line(content, [&](std::string_view line, int number, bool whole) {
    try {
      if (const auto point = metrics_point(line)) {
        curve.points.push_back(*point);
      } else if (whole) {
        throw InputError("expected a JSON object with a step, found something else");
      }
    } catch (const InputError& error) {
      throw InputError(
          fmt::format("{}:{}: {}; remove the line to draw the others", file.string(), number, error.what()));
    }
  });
  expect_loss(curve, file);
  return curve;
}

Curve read_csv(const fs::path& file) {
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
        table.emplace(row);
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
