#pragma once

#include <functional>
#include <string>

/// The system calls by which rune writes files, made to fail. This program is linked with --wrap for each of them.
namespace rune::test {

/// What happens to a call, from the `at`-th on (counted from 1 since inject()).
struct Fault {
  enum class Kind {
    error,        // it fails with `error`
    short_write,  // a write takes half of what it is given; other calls work
    exit_before,  // the process ends in its place
    exit_after,   // the process ends as soon as it has worked
  };
  Kind kind = Kind::error;
  int error = 0;
  int at = 0;             // 0: never
  bool for_ever = false;  // to all calls after it as well
};

/// From now on. Counts anew.
void inject(const Fault& fault);

/// The calls since inject() by name: "open", "write", ...; the one at which the fault struck is number `at`.
int calls_made();
/// The name of the call that the fault struck first; empty: none.
std::string struck_call();

}  // namespace rune::test
