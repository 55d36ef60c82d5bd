#include <string>

#include <fmt/format.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "train/recipe.h"

namespace rune::app {
namespace {

std::string listing() {
  std::string text;
  for (const train::Recipe& recipe : train::recipes()) {
    text += fmt::format("{:<15}{}\n", recipe.name, recipe.summary);
    for (const std::string& alias : recipe.aliases) text += fmt::format("{:<15}  also: {}\n", "", alias);
  }
  return text;
}

}  // namespace

int recipes(int argc, const char* const* argv) {
  std::string name;
  CommandLine line(
      "recipes", "[NAME]",
      "Lists the recipes: configurations of well-known systems, to run on their text or on yours with rune "
      "train TEXT --recipe NAME. With a name it prints that recipe: a TOML file, to read, to change and to "
      "give to --recipe.");
  line.optional_operand("NAME", name, "The recipe to print: its name, an alias, or a file.");
  line.group("Options");
  line.example("rune recipes nietzsche-9", "");
  line.example("rune recipes anna > mine.toml", "then change it, and: rune train book.txt --recipe mine.toml");
  if (!line.parse(argc, argv)) return success;

  Output output(Output::Controls::pass);
  output.write(name.empty() ? listing() : train::find_recipe(name).toml);
  output.flush();
  return success;
}

}  // namespace rune::app
