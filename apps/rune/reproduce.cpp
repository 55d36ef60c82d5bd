#include "tools/reproduction.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "stop_signal.h"

namespace rune::app {
namespace {

std::string line_of(const train::Report& report) {
  std::string line =
      fmt::format("  epoch {:.2f}  step {}  train {:.4f}", report.epoch, with_commas(report.step), report.train_loss);
  if (report.validation) line += fmt::format("  validation {:.4f}", report.validation->loss);
  return line + fmt::format("  {}\n", as_time(report.seconds));
}

std::string verdict_of(const tools::SystemResult& result) {
  std::string text;
  for (const tools::Check& check : result.checks) {
    text += fmt::format("  {}: {}: {}\n", check.passed ? "reached" : "MISSED", check.what, check.found);
  }
  return text.empty() ? "  not judged\n" : text;
}

}  // namespace

int reproduce(int argc, const char* const* argv) {
  tools::ReproductionOptions options;
  std::string data;
  std::string output;
  std::string torch_script;
  bool quiet = false;
  CommandLine line("reproduce", "[SYSTEM...] --data DIR -o REPORT",
                   "Runs the recipes of the reference systems on their own texts, and writes a report that puts their "
                   "losses beside the published figures. Interrupted, it goes on where it was when called again.");
  line.optional_operands("SYSTEM", options.systems,
                         "Recipes, by name or beginning (holmes-2 is both lengths). [all whose text is there]");
  line.group("Options");
  line.option("--data", "DIR", data, "Where the texts are, and published curves as CSV files.");
  line.option("-o,--output", "REPORT", output, "The directory to write: report.md, report.html, pictures, runs.");
  line.option("--skip", "SYSTEM", options.skip, "Leave this one out; may be given several times.");
  line.option("--max-epochs", "N", options.max_epochs, "Cut longer trainings short; the report says so.");
  line.option("--seeds", "N", options.seeds, "Trainings of each; 0: three where one takes less than two minutes.");
  line.option("--threads", "N", options.threads, "Threads; 0: one for each processor.");
  line.option("--torch-script", "FILE", torch_script,
              "tools/pytorch_systems.py of rune's sources: run every system in PyTorch as well, which takes long.");
  line.option("--torch-python", "FILE", options.torch_python, "A Python that has torch.");
  line.flag("--quiet", quiet, "Show nothing but errors.");
  line.example("rune reproduce --data texts -o report", "everything, some hours");
  line.example("rune reproduce nietzsche --data texts -o report --skip nietzsche-10", "");
  if (!line.parse(argc, argv)) return success;
  if (data.empty()) throw UsageError("--data is missing\nrune help reproduce lists the options");
  if (output.empty()) throw UsageError("-o is missing\nrune help reproduce lists the options");
  if (options.seeds < 0) throw UsageError(fmt::format("expected --seeds to be at least 0, found {}", options.seeds));
  options.data = data;
  options.output = output;
  options.torch_script = torch_script;

  const tools::Selection selection = tools::select(options);
  const auto say = [&](const std::string& text) {
    if (!quiet) message(text);
  };
  for (const train::Recipe& recipe : selection.without_text) {
    say(fmt::format("{} is left out: no {} in {}\n", recipe.name, recipe.corpus, data));
  }
  const StopSignal stop_signal;
  train::Observer observer;
  observer.stop_requested = [] { return StopSignal::received(); };
  observer.on_report = [&](const train::Report& report) { say(line_of(report)); };
  std::vector<tools::SystemResult> results;
  bool all_reached = true;
  for (const train::Recipe& recipe : selection.systems) {
    auto result = tools::reproduce(recipe, options, observer, [&](const std::string& text) { say(text + '\n'); });
    if (!result) {
      say("Stopped and saved. The same command goes on.\n");
      break;
    }
    say(verdict_of(*result));
    all_reached = all_reached && result->passed();
    results.push_back(std::move(*result));
    tools::write_report(results, selection, options);
  }
  Output out(Output::Controls::pass);
  if (!results.empty()) out.write((options.output / "report.html").string() + '\n');
  out.flush();
  return all_reached ? success : failure;
}

}  // namespace rune::app
