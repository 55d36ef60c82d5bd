#include "server/models.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rune/error.h>

#include "server/error.h"
#include "train/run_directory.h"

namespace rune::server {
namespace {

namespace fs = std::filesystem;

std::vector<ServedModel> read(const std::vector<fs::path>& paths, Precision precision) {
  std::vector<ServedModel> models;
  for (const fs::path& path : paths) {
    const fs::path file = train::resolve_model(path);
    const fs::path name = (fs::absolute(path).lexically_normal() / "").parent_path();
    const auto written = std::chrono::file_clock::to_sys(fs::last_write_time(file));
    models.push_back({.id = (fs::is_directory(path) ? name.filename() : name.stem()).string(),
                      .model = std::make_shared<const model::Model>(model::load_model(file, precision)),
                      .created = std::chrono::duration_cast<std::chrono::seconds>(written.time_since_epoch()).count()});
  }
  return models;
}

}  // namespace

Models::Models(const std::vector<fs::path>& paths, Precision precision) : Models(read(paths, precision)) {}

Models::Models(std::vector<ServedModel> models) : models_(std::move(models)) {
  for (const ServedModel& model : models_) {
    if (std::ranges::count(models_, model.id, &ServedModel::id) == 1) continue;
    throw InputError(fmt::format("two of the models would be called '{}'; rename one of them", model.id));
  }
}

const ServedModel& Models::find(const std::string& id) const {
  if (id.empty() && models_.size() == 1) return models_.front();
  const auto found = std::ranges::find(models_, id, &ServedModel::id);
  if (found != models_.end()) return *found;
  std::vector<std::string> ids;
  ids.reserve(models_.size());
  for (const ServedModel& model : models_) ids.push_back(model.id);
  throw ApiError(404, fmt::format("no model '{}' here, only: {}", id, fmt::join(ids, ", ")), "model",
                 "model_not_found");
}

}  // namespace rune::server
