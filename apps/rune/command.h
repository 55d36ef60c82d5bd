#pragma once

#include <span>
#include <string_view>

/// The program: a table of subcommands. This folder is the only place that prints and chooses exit codes.
namespace rune::app {

enum ExitCode { success = 0, failure = 1, wrong_usage = 2 };

/// One subcommand. `run` gets the arguments that follow its name, and its help when they hold --help.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(int argc, const char* const* argv);
};

/// All of them, in the order that help lists them in.
std::span<const Command> commands();
/// Throws UsageError with a suggestion if there is none of that name.
const Command& find_command(std::string_view name);

int train(int argc, const char* const* argv);
int resume(int argc, const char* const* argv);
int sample(int argc, const char* const* argv);
int evaluate(int argc, const char* const* argv);
int next(int argc, const char* const* argv);
int reproduce(int argc, const char* const* argv);
int recipes(int argc, const char* const* argv);
int inspect(int argc, const char* const* argv);
int import_model(int argc, const char* const* argv);
int export_model(int argc, const char* const* argv);
int compress(int argc, const char* const* argv);
int decompress(int argc, const char* const* argv);
int plot(int argc, const char* const* argv);
int runs(int argc, const char* const* argv);
int serve(int argc, const char* const* argv);
int bench(int argc, const char* const* argv);
int help(int argc, const char* const* argv);

}  // namespace rune::app
