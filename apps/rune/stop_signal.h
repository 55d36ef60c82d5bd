#pragma once

namespace rune::app {

/// Turns Ctrl-C and SIGTERM into a polite request: the first is remembered, the second ends the process at once.
/// One at a time; gives the signals back when destroyed. A signal that was ignored before stays ignored.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] static bool received();
};

}  // namespace rune::app
