#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "command.h"
#include "command_line.h"
#include "generate/generator.h"
#include "model/model.h"
#include "output.h"
#include "text/utf8.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

// A unit in quotes; a byte that is only a part of a character by its number.
std::string shown(const std::string& unit, const std::string& utf8) {
  return unit == utf8 ? "'" + in_one_line(unit) + "'" : text::describe_unit(unit);
}

}  // namespace

int next(int argc, const char* const* argv) {
  std::string path;
  std::string context;
  int count = 10;
  auto unknown = text::Unknown::error;
  bool json = false;
  CommandLine line("next", "MODEL [CONTEXT] [-k N]",
                   "Shows which characters a model expects after a context, the most probable first.");
  line.operand("MODEL", path,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
  line.optional_operand("CONTEXT", context,
                        "What the model reads first, from a zero state. [a new line, or the begin of a record]");
  line.group("Options");
  line.option("-k,--count", "N", count, "How many; 0: all.");
  line.option("--unknown", "NAME", unknown,
              "What characters that the model does not know do: " + train::list_names<text::Unknown>() + ".");
  line.flag("--json", json, "Write one line of JSON.");
  line.example("rune next runs/book 'for thos' -k 3", "");
  if (!line.parse(argc, argv)) return success;
  if (count < 0) throw UsageError(fmt::format("expected -k to be at least 0, found {}", count));

  const model::Model model = model::load_model(train::resolve_model(path));
  const auto tokens = model.vocabulary.encode(context, unknown, "the context");
  auto candidates = generate::next_candidates(model, tokens);
  if (count > 0) candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(count)));

  std::string text;
  auto list = nlohmann::ordered_json::array();
  for (const auto& [token, probability] : candidates) {
    const std::string unit = model.vocabulary.decode({&token, 1});
    const std::string utf8 = text::replace_invalid(unit);
    text += fmt::format("{:<7} {:.4f}\n", shown(unit, utf8), probability);
    list.push_back({{"character", utf8}, {"token", token}, {"probability", probability}});
  }
  Output output(Output::Controls::pass);
  output.write(json ? list.dump() + '\n' : text);
  output.flush();
  return success;
}

}  // namespace rune::app
