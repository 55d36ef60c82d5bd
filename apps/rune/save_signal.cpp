#include "save_signal.h"

#include "signal_action.h"

namespace rune::app {
namespace {

volatile std::sig_atomic_t received = 0;

void handle(int /*signal*/) { received = 1; }

}  // namespace

SaveSignal::SaveSignal() {
  received = 0;
  const struct sigaction action = action_calling(handle);
  sigaction(SIGUSR1, &action, &earlier_);
}

SaveSignal::~SaveSignal() { sigaction(SIGUSR1, &earlier_, nullptr); }

bool SaveSignal::take() {
  if (received == 0) return false;
  received = 0;
  return true;
}

}  // namespace rune::app
