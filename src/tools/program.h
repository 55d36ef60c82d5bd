#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rune::tools {

/// What another program left behind.
struct ProgramResult {
  bool found = true;    // in PATH
  std::string failure;  // "exit code 1", "signal 6"; empty: it succeeded
  std::string out;      // its standard output
  std::string err;
};

/// Runs a program with its arguments and its standard input, and waits for its end. No shell and no file on disk take
/// part. Throws FileError if the system refuses. May be called in any number of threads.
ProgramResult run_program(std::vector<std::string> words, std::string_view input);

}  // namespace rune::tools
