#include "tools/runs.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <system_error>
#include <unordered_map>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"
#include "text/utf8.h"
#include "train/run_directory.h"

namespace rune::tools {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The value in front of a comment, without its quotes; a quote behind a backslash ends none.
std::string_view value_in(std::string_view rest) {
  if (!rest.starts_with('"')) return trimmed(rest.substr(0, rest.find('#')));
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  return rest.substr(1, std::min(end, rest.size()) - 1);
}

// Takes the first line off a text.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// What a file holds; nothing where it cannot be read. A system call more for each file would be felt in a long list.
std::optional<std::string> content_of(const fs::path& path) {
  try {
    return read_file(path);
  } catch (const FileError&) {
    return std::nullopt;
  }
}

std::optional<CurvePoint> point_in(std::string_view line) {
  try {
    return metrics_point(line);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

void read_metrics(const std::string& metrics, RunSummary& summary) {
  std::string_view text(metrics);
  text = text.substr(0, text.rfind('\n') + 1);  // whole lines
  std::string_view last;
  std::string_view best;
  double lowest = 0;
  while (!text.empty()) {
    last = next_line(text);
    ++summary.reports;
    const auto loss = metrics_value(last, "\"validation_loss\":");
    if (!loss || (!best.empty() && *loss >= lowest)) continue;
    best = last;
    lowest = *loss;
  }
  summary.last = point_in(last);
  summary.best = point_in(best);
}

// The last line of log.txt says how a training ended.
void read_log(std::string_view log, RunSummary& summary) {
  while (log.ends_with('\n')) log.remove_suffix(1);
  std::string_view line = log.substr(log.rfind('\n') + 1);
  line.remove_prefix(std::min(line.find(' ') + 1, line.size()));  // its time
  constexpr std::string_view kError = "error: ";
  if (line.starts_with("finished")) summary.state = RunState::finished;
  if (line.starts_with("stop ")) summary.state = RunState::stopped;
  if (line.starts_with(kError)) {
    summary.state = RunState::failed;
    summary.failure = line.substr(kError.size());
  }
}

std::int64_t seconds_since_1970(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return 0;
  const auto system = std::chrono::file_clock::to_sys(time);
  return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

// Nothing where there is no run any more.
std::optional<RunSummary> summary_of(const fs::path& path, const HeldLocks& locks) {
  const std::optional<std::string> config = content_of(path / "config.toml");
  if (!config && !is_run(path)) return std::nullopt;
  RunSummary summary{.path = path, .name = path.filename().string()};
  summary.config = config_entries(config.value_or(""));
  read_metrics(content_of(path / "metrics.jsonl").value_or(""), summary);
  read_log(content_of(path / "log.txt").value_or(""), summary);
  if (locks.contain(path / "lock")) summary.state = RunState::live;
  summary.modified = seconds_since_1970(path / (summary.reports > 0 ? "metrics.jsonl" : "config.toml"));
  return summary;
}

void check_name(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  const auto fail = [&](const char* found) {
    throw InputError(
        fmt::format("expected a name of 1 to {} characters without slashes, control characters and a dot "
                    "at its start, found {}",
                    kLongest, found));
  };
  if (name.empty()) fail("an empty one");
  if (name.size() > kLongest) fail("a longer one");
  if (name.starts_with('.')) fail("a dot at its start");
  if (name == kTrashName) fail("the name of the folder for what is thrown away");
  for (const char32_t c : text::decode_utf8(name, "the name")) {
    if (c == U'/' || c == U'\\') fail("a slash");
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) fail("a control character");
  }
}

// Nothing that exists is replaced.
bool move_to_free_name(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST || errno == ENOTEMPTY) return false;
  throw FileError(fmt::format("could not move '{}' to '{}': {}", from.string(), to.string(),
                              std::generic_category().message(errno)));
}

}  // namespace

ConfigEntries config_entries(std::string_view toml) {
  ConfigEntries entries;
  std::string table;
  bool in_array = false;
  while (!toml.empty()) {
    const std::string_view line = trimmed(next_line(toml));
    if (in_array || line.empty() || line.starts_with('#')) {
      in_array = in_array && !line.starts_with(']');
    } else if (line.starts_with('[')) {
      table = std::string(line.substr(1, line.find(']') - 1)) + '.';
    } else if (const std::size_t equals = line.find('='); equals != std::string_view::npos) {
      const std::string_view value = trimmed(line.substr(equals + 1));
      in_array = value == "[";
      if (!in_array) entries.emplace_back(table + std::string(trimmed(line.substr(0, equals))), value_in(value));
    }
  }
  return entries;
}

std::string_view value_of(const ConfigEntries& entries, std::string_view key) {
  const auto found = std::ranges::find(entries, key, &ConfigEntries::value_type::first);
  return found == entries.end() ? std::string_view() : std::string_view(found->second);
}

std::string model_text(const ConfigEntries& entries) {
  const auto value = [&](const char* key) { return value_of(entries, key); };
  if (value("model.cell").empty()) return "";
  return fmt::format("{} {} x {}", value("model.cell"), value("model.layers"), value("model.hidden_size"));
}

bool is_run(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path / "config.toml", ignored);
}

std::vector<fs::path> runs_in(const fs::path& folder) {
  std::vector<fs::path> runs;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (is_run(entry.path())) runs.push_back(entry.path());
  }
  std::ranges::sort(runs);
  return runs;
}

std::vector<RunSummary> summarize_runs(std::span<const fs::path> runs) {
  const HeldLocks locks;
  std::vector<RunSummary> summaries;
  for (const fs::path& run : runs) {
    if (auto summary = summary_of(run, locks)) summaries.push_back(std::move(*summary));
  }
  return summaries;
}

std::vector<ConfigEntries> differences(std::span<const RunSummary> runs) {
  struct Values {
    std::map<std::string_view, std::size_t> counts;  // runs that have each
    std::string_view usual;                          // the most frequent, the first of equals
  };
  std::unordered_map<std::string_view, Values> values_of;  // by key
  for (const RunSummary& run : runs) {
    for (const auto& [key, value] : run.config) ++values_of[key].counts[value];
  }
  for (auto& [key, values] : values_of) {
    const auto count = [](const auto& counted) { return counted.second; };
    values.usual = std::ranges::max_element(values.counts, {}, count)->first;
  }
  std::vector<ConfigEntries> different(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [key, value] : runs[i].config) {
      if (value != values_of[key].usual) different[i].emplace_back(key, value);
    }
  }
  return different;
}

fs::path rename_run(const fs::path& run, std::string_view name) {
  check_name(name);
  auto directory = train::RunDirectory::open((fs::absolute(run) / "").parent_path());
  directory.lock();
  fs::path renamed = directory.path().parent_path() / name;
  if (!move_to_free_name(directory.path(), renamed)) {
    throw FileError(fmt::format("there is a '{}' already; choose another name", name));
  }
  return renamed;
}

fs::path trash_run(const fs::path& run) {
  auto directory = train::RunDirectory::open((fs::absolute(run) / "").parent_path());
  directory.lock();
  const fs::path trash = directory.path().parent_path() / kTrashName;
  std::error_code error;
  fs::create_directory(trash, error);
  if (error) throw FileError(fmt::format("could not create '{}': {}", trash.string(), error.message()));
  const std::string name = directory.path().filename().string();
  for (int n = 1;; ++n) {
    fs::path target = trash / (n == 1 ? name : fmt::format("{}-{}", name, n));
    if (move_to_free_name(directory.path(), target)) return target;
  }
}

}  // namespace rune::tools
