#pragma once

#include <csignal>

namespace rune::app {

/// Calls a handler; a system call that the signal interrupts goes on.
inline struct sigaction action_calling(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return action;
}

}  // namespace rune::app
