#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "text/utf8.h"
#include "tools/runs.h"

namespace rune::app {

enum class RunOrder { name, loss, time };

}  // namespace rune::app

namespace rune::model {

template <>
inline constexpr std::array<std::string_view, 3> kNames<app::RunOrder>{"name", "loss", "time"};

}  // namespace rune::model

namespace rune::app {
namespace {

namespace fs = std::filesystem;

struct Row {
  tools::RunSummary run;
  tools::ConfigEntries different;
};

double best_loss(const Row& row) {
  constexpr double kNoLoss = std::numeric_limits<double>::infinity();
  return row.run.best ? row.run.best->validation_loss.value_or(kNoLoss) : kNoLoss;
}

// "hidden_size=512 dropout=0.5": keys without their tables.
std::string differences_text(const tools::ConfigEntries& entries) {
  std::string text;
  for (const auto& [key, value] : entries) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", key.substr(key.find('.') + 1), value);
  }
  return text;
}

std::vector<std::string> cells(const Row& row) {
  const tools::RunSummary& run = row.run;
  const auto number = [](const std::optional<double>& value, const auto& format) {
    return value ? format(*value) : std::string("-");
  };
  const auto loss = [](double value) { return fmt::format("{:.4f}", value); };
  const auto whole = [](double value) { return with_commas(std::llround(value)); };
  const tools::CurvePoint last = run.last.value_or(tools::CurvePoint{});
  const tools::CurvePoint best = run.best.value_or(tools::CurvePoint{});
  return {text::escape_controls(run.name),
          std::string(model::name_of(run.state)),
          tools::model_text(run.config),
          number(last.step, whole),
          number(last.epoch, [](double value) { return fmt::format("{:.2f}", value); }),
          number(last.seconds, as_time),
          number(last.characters_per_second, whole),
          number(last.train_loss, loss),
          number(best.validation_loss, loss),
          number(best.step, whole),
          text::escape_controls(differences_text(row.different))};
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> lines{
      {"run", "state", "model", "step", "epoch", "time", "chars/s", "train loss", "best", "at step", "different"}};
  for (const Row& row : rows) lines.push_back(cells(row));
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  constexpr std::size_t kFirstNumber = 3;
  std::string text;
  for (const auto& line : lines) {
    std::string shown;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool is_number = i >= kFirstNumber && i + 1 < line.size();
      shown += is_number ? fmt::format("{:>{}}  ", line[i], widths[i]) : fmt::format("{:<{}}  ", line[i], widths[i]);
    }
    text += shown.substr(0, shown.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

nlohmann::ordered_json json_of(const Row& row) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  const tools::RunSummary& run = row.run;
  const tools::CurvePoint last = run.last.value_or(tools::CurvePoint{});
  const tools::CurvePoint best = run.best.value_or(tools::CurvePoint{});
  nlohmann::ordered_json json{{"run", run.path.string()},
                              {"state", model::name_of(run.state)},
                              {"model", tools::model_text(run.config)},
                              {"step", or_null(last.step)},
                              {"epoch", or_null(last.epoch)},
                              {"seconds", or_null(last.seconds)},
                              {"train_loss", or_null(last.train_loss)},
                              {"best_validation_loss", or_null(best.validation_loss)},
                              {"best_step", or_null(best.step)},
                              {"different", nlohmann::ordered_json::object()}};
  for (const auto& [key, value] : row.different) json["different"][key] = value;
  return json;
}

std::vector<Row> rows_of(const std::vector<std::string>& folders, RunOrder order) {
  std::vector<fs::path> paths;
  for (const std::string& folder : folders) {
    const fs::path path = (fs::path(folder) / "").parent_path();
    if (tools::is_run(path)) {
      paths.push_back(path);
    } else if (!fs::is_directory(path)) {
      throw InputError(fmt::format("expected a folder of runs, or a run directory, found {} '{}'",
                                   fs::exists(path) ? "a file:" : "nothing at", folder));
    } else {
      std::ranges::copy(tools::runs_in(path), std::back_inserter(paths));
    }
  }
  std::vector<tools::RunSummary> runs = tools::summarize_runs(paths);
  std::vector<tools::ConfigEntries> different = tools::differences(runs);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < runs.size(); ++i) rows.push_back({std::move(runs[i]), std::move(different[i])});
  if (order == RunOrder::loss) std::ranges::stable_sort(rows, {}, best_loss);
  if (order == RunOrder::time) {
    std::ranges::stable_sort(rows, std::ranges::greater(), [](const Row& row) { return row.run.modified; });
  }
  return rows;
}

}  // namespace

int runs(int argc, const char* const* argv) {
  std::vector<std::string> folders;
  auto order = RunOrder::name;
  bool json = false;
  CommandLine line("runs", "[FOLDER...] [OPTION...]",
                   "Lists trainings: how far they are, their best validation loss in nats per character, and in which "
                   "options each differs from most of them. live: a process trains it at this moment; interrupted: its "
                   "process ended without a word, and rune resume goes on.");
  line.optional_operands("FOLDER", folders, "A folder of run directories, or a run directory. [runs]");
  line.group("Options");
  line.option("--sort", "NAME", order,
              train::list_names<RunOrder>() + ": by name, the lowest loss or the latest first.");
  line.flag("--json", json, "Write one line of JSON for each run.");
  line.example("rune runs --sort loss", "the best first");
  line.example("rune serve", "the same in a browser, with curves");
  if (!line.parse(argc, argv)) return success;
  if (folders.empty()) folders = {"runs"};

  const std::vector<Row> rows = rows_of(folders, order);
  std::string text;
  if (json) {
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    for (const Row& row : rows) text += json_of(row).dump(-1, ' ', false, kReplace) + '\n';
  } else {
    text = table(rows);
  }
  Output output(Output::Controls::pass);
  output.write(text);
  output.flush();
  return success;
}

}  // namespace rune::app
