#pragma once

#include <chrono>
#include <string>

#include "train/trainer.h"

namespace rune::app {

/// What a user sees of a training: on stderr one progress line that is redrawn (on a terminal only), and for every
/// report a line that stays with a sample; on stdout, where asked for, the reports as JSON. Not thread-safe; the
/// trainer must outlive it.
class TrainingDisplay {
 public:
  struct Options {
    bool quiet = false;  // nothing on stderr
    bool json = false;   // the lines of metrics.jsonl on stdout
  };

  TrainingDisplay(const Options& options, const train::Trainer& trainer);

  void show(const train::Progress& progress);
  void show(const train::Report& report);
  /// A sentence that a user should read.
  void show(const std::string& notice);
  /// Takes the progress line away.
  void clear();

 private:
  [[nodiscard]] std::string steps_text(std::int64_t step) const;

  Options options_;
  const train::Trainer& trainer_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace rune::app
