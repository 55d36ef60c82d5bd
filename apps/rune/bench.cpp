#include <string>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "tools/bench.h"

namespace rune::app {
namespace {

std::string list_workloads() {
  std::string list;
  for (const tools::Workload& workload : tools::workloads())
    list += fmt::format("{:<17}{}\n", workload.name, workload.summary);
  return list;
}

}  // namespace

int bench(int argc, const char* const* argv) {
  std::vector<std::string> names;
  tools::BenchOptions options;
  bool list = false;
  bool json = false;
  CommandLine line("bench", "[WORKLOAD...] [--seconds S]",
                   "Measures how fast rune trains, evaluates and writes here, and what share that is of what the "
                   "processor can do at the same moment. Let nothing else run meanwhile.");
  line.optional_operands("WORKLOAD", names, "What to measure. [all]");
  line.group("Options");
  line.option("--seconds", "S", options.seconds, "Measure each workload for so long.");
  line.option("--threads", "N", options.threads, "0: one for each processor.");
  line.option("--precision", "NAME", options.precision, "f32, bf16 or auto: bf16 where the processor multiplies it.");
  line.flag("--json", json, "Write one line of JSON for each workload.");
  line.flag("--list", list, "List the workloads.");
  line.example("rune bench anna write --seconds 10", "");
  if (!line.parse(argc, argv)) return success;
  if (!(options.seconds > 0) || options.seconds > 3600)
    throw UsageError(fmt::format("expected --seconds to be above 0 and at most 3600, found {}", options.seconds));
  if (options.threads < 0)
    throw UsageError(fmt::format("expected --threads to be at least 0, found {}", options.threads));

  Output output(Output::Controls::pass);
  if (list) {
    output.write(list_workloads());
    output.flush();
    return success;
  }
  std::vector<const tools::Workload*> chosen;
  chosen.reserve(names.size());
  for (const std::string& name : names) chosen.push_back(&tools::find_workload(name));
  if (chosen.empty())
    for (const tools::Workload& workload : tools::workloads()) chosen.push_back(&workload);

  std::vector<tools::BenchResult> results;
  for (const tools::Workload* workload : chosen) {
    if (!json) message(fmt::format("{}: {}\n", workload->name, workload->summary));
    results.push_back(tools::bench(*workload, options));
    if (json) output.write(tools::to_json(results.back()) + '\n');
  }
  if (!json) output.write(tools::bench_table(results));
  output.flush();
  return success;
}

}  // namespace rune::app
