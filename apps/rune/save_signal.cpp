#include "save_signal.h"

namespace rune::app {
namespace {

volatile std::sig_atomic_t received = 0;

void handle(int /*signal*/) { received = 1; }

}  // namespace

SaveSignal::SaveSignal() {
  received = 0;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, &earlier_);
}

SaveSignal::~SaveSignal() { sigaction(SIGUSR1, &earlier_, nullptr); }

bool SaveSignal::take() {
  if (received == 0) return false;
  received = 0;
  return true;
}

}  // namespace rune::app
