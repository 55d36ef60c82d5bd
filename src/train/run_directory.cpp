#include "train/run_directory.h"

#include <system_error>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"

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
  run.write_config(resolved);
  return run;
}

RunDirectory RunDirectory::open(const fs::path& path) {
  RunDirectory run(fs::absolute(path));
  if (!fs::is_regular_file(run.config())) {
    throw InputError(fmt::format("expected a run directory, found no config.toml in '{}'", path.string()));
  }
  return run;
}

fs::path RunDirectory::cycle(std::int64_t number) const { return path_ / fmt::format("cycle-{}.safetensors", number); }

RunConfig RunDirectory::read_config() const {
  RunConfig read = run_config_from_toml(read_file(config()), config().string());
  if (read.texts.empty())
    throw InputError(fmt::format("{}: expected at least one file in texts, found none", config().string()));
  return read;
}

void RunDirectory::write_config(const RunConfig& values) const { write_file_atomically(config(), to_toml(values)); }

fs::path resolve_model(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  const RunDirectory run = RunDirectory::open(path);
  for (const fs::path& model : {run.best(), run.last()}) {
    if (fs::exists(model)) return model;
  }
  throw InputError(fmt::format("expected best.safetensors or last.safetensors in '{}', found neither", path.string()));
}

}  // namespace rune::train
