#include <string>

#include <fmt/format.h>

#include "command.h"
#include "command_line.h"
#include "output.h"

namespace rune::app {

int help(int argc, const char* const* argv) {
  if (argc > 1) throw UsageError(fmt::format("unexpected argument '{}'\nusage: rune help [COMMAND]", argv[1]));
  if (argc == 1 && std::string_view(argv[0]) != "help") {
    const char* const arguments[] = {"--help"};
    return find_command(argv[0]).run(1, arguments);
  }
  std::string text =
      "rune learns to write from a text: it trains a recurrent network to predict the next character.\n\n"
      "usage: rune COMMAND [OPTION...]\n\n";
  for (const Command& command : commands()) text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  text +=
      "  --version show the version\n\n"
      "rune help COMMAND explains a command and all its options.\n\n"
      "To begin with:\n"
      "  rune train book.txt -o runs/book --minutes 5\n"
      "  rune sample runs/book -p 'Once upon a time'\n";
  Output output(Output::Controls::pass);
  output.write(text);
  output.flush();
  return success;
}

}  // namespace rune::app
