#include "training.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "advice.h"
#include "command.h"
#include "output.h"
#include "save_signal.h"
#include "stop_signal.h"

namespace rune::app {
namespace {

void write_result(const train::Trainer& trainer, const std::string& run, train::Outcome outcome, bool json) {
  Output output(Output::Controls::pass);
  if (json) {
    nlohmann::ordered_json result;
    result["run"] = run;
    result["outcome"] = outcome == train::Outcome::finished ? "finished" : "stopped";
    result["step"] = trainer.step();
    result["total_steps"] = trainer.total_steps();
    output.write(result.dump() + '\n');
  } else {
    output.write(run + '\n');
  }
  output.flush();
}

}  // namespace

std::optional<Period> DurationFlags::period() const {
  if (epochs) return Period{*epochs, Period::Unit::epochs};
  if (steps) return Period{static_cast<double>(*steps), Period::Unit::steps};
  if (minutes) return Period{*minutes, Period::Unit::minutes};
  return std::nullopt;
}

void add_display_options(CommandLine& line, TrainingDisplay::Options& options) {
  line.flag("--quiet", options.quiet, "Show nothing but errors.");
  line.flag("--json", options.json,
            "Write every report to stdout as one line of JSON, with the keys of metrics.jsonl, and a last line that "
            "names the run.");
}

int run_training(train::Trainer& trainer, const std::string& run, const TrainingDisplay::Options& options) {
  TrainingDisplay display(options, trainer);
  std::optional<train::Report> last;
  train::Observer observer;
  observer.on_step = [&](const train::Progress& progress) { display.show(progress); };
  observer.on_report = [&](const train::Report& report) {
    display.show(report);
    last = report;
  };
  observer.stop_requested = [] { return StopSignal::received(); };
  const SaveSignal save_signal;
  observer.save_requested = [] { return SaveSignal::take(); };
  observer.on_notice = [&](const std::string& notice) { display.show(notice); };
  train::Outcome outcome;
  try {
    outcome = trainer.run(observer);
  } catch (...) {
    display.clear();
    throw;
  }
  display.clear();

  std::string epilogue;
  if (outcome == train::Outcome::stopped) {
    epilogue =
        fmt::format("Stopped at step {} and saved. Go on with:\n  rune resume {}\n", with_commas(trainer.step()), run);
  } else {
    if (last) epilogue = advice_after(*last);
    epilogue += fmt::format("Done. Next:\n  rune sample {0}\n  rune resume {0} --epochs N\n", run);
  }
  if (!options.quiet) message(epilogue);
  write_result(trainer, run, outcome, options.json);
  return success;
}

}  // namespace rune::app
