#include "stop_signal.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "signal_action.h"

namespace rune::app {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};

volatile std::sig_atomic_t received_signal = 0;
std::array<struct sigaction, kSignals.size()> earlier_actions;

void handle(int signal) {
  if (received_signal != 0) _exit(128 + signal);
  received_signal = signal;
}

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  const struct sigaction action = action_calling(handle);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &earlier_actions[i]);
    if (earlier_actions[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &earlier_actions[i], nullptr);
}

bool StopSignal::received() { return received_signal != 0; }

}  // namespace rune::app
