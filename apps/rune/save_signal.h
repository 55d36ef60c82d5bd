#pragma once

#include <csignal>

namespace rune::app {

/// Turns SIGUSR1 into a request to save. One at a time; gives the signal back when destroyed.
class SaveSignal {
 public:
  SaveSignal();
  ~SaveSignal();
  SaveSignal(const SaveSignal&) = delete;
  SaveSignal& operator=(const SaveSignal&) = delete;

  /// Whether one has come since the last call.
  [[nodiscard]] static bool take();

 private:
  struct sigaction earlier_ {};
};

}  // namespace rune::app
