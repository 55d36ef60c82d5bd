#include "train/run_directory.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <regex>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"
#include "format/safetensors.h"
#include "train/checkpoint.h"

namespace rune::train {
namespace fs = std::filesystem;

RunDirectory RunDirectory::create(const fs::path& path, const RunConfig& config) {
  const fs::path absolute = (fs::absolute(path) / "").parent_path();  // without a slash at the end
  RunConfig resolved = config;
  for (fs::path& text : resolved.texts) text = fs::absolute(text);
  for (fs::path& text : resolved.validation_texts) text = fs::absolute(text);
  if (!resolved.from.empty()) resolved.from = fs::absolute(resolved.from);
  std::error_code error;
  fs::create_directories(absolute.parent_path(), error);
  const bool created = !error && fs::create_directory(absolute, error);
  if (error)
    throw FileError(fmt::format("could not create the run directory '{}': {}", path.string(), error.message()));
  if (!created) {
    throw FileError(fmt::format("'{0}' exists already; name another run directory, or go on with it: rune resume {0}",
                                path.string()));
  }
  RunDirectory run(absolute);
  run.lock();
  run.write_config(resolved);
  return run;
}

RunDirectory RunDirectory::open(const fs::path& path) {
  RunDirectory run(fs::absolute(path));
  if (!fs::is_regular_file(run.config()) && !fs::is_regular_file(run.last())) {
    throw InputError(fmt::format("expected a run directory, found no config.toml in '{}'", path.string()));
  }
  return run;
}

void RunDirectory::lock() {
  if (lock_) return;
  lock_ = std::make_shared<FileLock>(path_ / "lock", fmt::format("the run directory '{}'", path_.string()));
  remove_temporary_files(path_);
}

fs::path RunDirectory::older(std::int64_t step, std::optional<double> validation_loss) const {
  return path_ /
         fmt::format("step-{}{}.safetensors", step, validation_loss ? fmt::format("-{:.4f}", *validation_loss) : "");
}

std::vector<fs::path> RunDirectory::older_checkpoints() const {
  static const std::regex kName(R"(step-(\d{1,15})(-\d+\.\d+)?\.safetensors)");
  std::vector<std::pair<std::int64_t, fs::path>> found;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    std::smatch match;
    if (std::regex_match(name, match, kName)) found.emplace_back(std::stoll(match[1].str()), entry.path());
  }
  std::ranges::sort(found, std::greater());
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

void RunDirectory::drop_older_checkpoints(int keep) const {
  const std::vector<fs::path> paths = older_checkpoints();
  std::error_code ignored;  // the next save tries again
  for (const fs::path& path : paths | std::views::drop(keep)) fs::remove(path, ignored);
}

fs::path RunDirectory::cycle(std::int64_t number) const { return path_ / fmt::format("cycle-{}.safetensors", number); }

RunConfig RunDirectory::read_config() const {
  const bool lost = !fs::exists(config());
  const std::string toml = lost ? format::SafetensorsFile::read(last()).meta(kConfigKey) : read_file(config());
  RunConfig read;
  try {
    read = run_config_from_toml(toml, config().string());
  } catch (const InputError& error) {
    if (lost) throw;
    throw InputError(
        fmt::format("{}\nIf you did not write this: remove config.toml, and the one that the last "
                    "checkpoint keeps is taken",
                    error.what()));
  }
  if (read.texts.empty())
    throw InputError(fmt::format("{}: expected at least one file in texts, found none", config().string()));
  for (fs::path& text : read.texts) text = path_ / text;
  return read;
}

void RunDirectory::write_config(const RunConfig& values) const { write_file_atomically(config(), to_text(values)); }

std::string RunDirectory::to_text(const RunConfig& values) const {
  RunConfig written = values;
  for (fs::path& text : written.texts) {
    if (text == corpus()) text = text.filename();  // so that the directory may move
  }
  return to_toml(written);
}

fs::path resolve_model(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  const RunDirectory run = RunDirectory::open(path);
  for (const fs::path& model : {run.best(), run.last()}) {
    if (fs::exists(model)) return model;
  }
  throw InputError(fmt::format("expected best.safetensors or last.safetensors in '{}', found neither", path.string()));
}

}  // namespace rune::train
