#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/deferred.h"
#include "server/http.h"
#include "train/trainer.h"

namespace rune::server {

/// The training of this process, between its thread and the server's: what it shows, and what it is asked for.
/// Thread-safe.
class LiveRun {
 public:
  /// A text that the training shall write with the weights of this moment.
  struct SampleRequest {
    std::string prompt;
    int length = 200;
    float temperature = 0.8F;
    std::uint64_t seed = 1;
  };

  explicit LiveRun(std::filesystem::path run) : run_(std::move(run)) {}
  /// Answers what is still asked for.
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  [[nodiscard]] const std::filesystem::path& run() const { return run_; }

  // For the training: after each step, on its thread.

  /// Shows how far it is, and writes the samples that were asked for.
  void after_step(const train::Progress& progress, const train::Trainer& trainer);
  [[nodiscard]] bool stop_requested() const { return stop_; }
  /// Whether a save was asked for since the last call.
  [[nodiscard]] bool take_save_request() { return save_.exchange(false); }

  // For the server.

  [[nodiscard]] train::Progress progress() const;
  void request_stop() { stop_ = true; }
  void request_save() { save_ = true; }
  /// Throws ApiError with status 503 if too many wait already.
  [[nodiscard]] Reply request_sample(const SampleRequest& request);

 private:
  struct Asked {
    SampleRequest request;
    Deferred deferred;
  };

  const std::filesystem::path run_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> save_ = false;
  mutable std::mutex mutex_;
  train::Progress progress_;
  std::vector<Asked> asked_;
};

}  // namespace rune::server
