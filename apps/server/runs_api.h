#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/http.h"
#include "server/live_run.h"
#include "server/worker.h"

namespace rune::server {

/// Runs over HTTP: those of a folder and those that were named. Clients know them by ids that the server makes; nothing
/// that a client sends is ever a path. Files are read on a worker's thread. Thread-safe.
///
///   GET    /api/runs                    all of them, with what tells them apart
///   GET    /api/runs/ID                 one, with its whole configuration, and its progress where it is live here
///   GET    /api/runs/ID/metrics         its reports by column; ?after=STEP: later ones alone
///   GET    /api/runs/ID/samples         what it wrote at its evaluations; ?after=STEP: later ones alone
///   PATCH  /api/runs/ID {"name": ...}   renames it
///   DELETE /api/runs/ID                 moves it to the folder trash
///   POST   /api/runs/ID/stop, /save, /sample {"prompt", "length", "temperature", "seed"}
class RunsApi {
 public:
  /// `folder`: where runs are looked for, at each request. `live`: the training of this process, or null.
  RunsApi(const std::filesystem::path& folder, std::vector<std::filesystem::path> named, LiveRun* live);

  /// Throws ApiError; what goes wrong later is part of the reply.
  Reply answer(const Request& request);

 private:
  [[nodiscard]] Response list();
  [[nodiscard]] Response show(const std::filesystem::path& run);
  [[nodiscard]] Response rename(const std::filesystem::path& run, const std::string& name);
  [[nodiscard]] Reply command(const std::string& id, const std::string& word, const Request& request);

  /// The run of an id that list() has given, or would give now.
  [[nodiscard]] std::filesystem::path find(const std::string& id);
  /// Those there are now.
  [[nodiscard]] std::vector<std::filesystem::path> all();
  std::string id_of(const std::filesystem::path& run);
  [[nodiscard]] bool is_live_here(const std::filesystem::path& run) const;

  const std::filesystem::path folder_;
  LiveRun* const live_;
  std::mutex mutex_;
  std::vector<std::filesystem::path> named_;
  std::unordered_map<std::string, std::filesystem::path> by_id_;
  Worker worker_;  // last: its tasks use the others
};

}  // namespace rune::server
