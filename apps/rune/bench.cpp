#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/thread_team.h"
#include "command.h"
#include "command_line.h"
#include "output.h"
#include "tools/bench.h"
#include "tools/probe.h"
#include "tools/workload.h"
#include "train/option_text.h"

namespace rune::app {
namespace {

struct Request {
  std::vector<std::string> names;
  tools::BenchOptions options;
  tools::Shape shape;
  bool list = false;
  bool roofs = false;
  bool json = false;
};

bool parse(int argc, const char* const* argv, Request& request) {
  CommandLine line("bench", "[WORKLOAD...] [--seconds S] [--hidden-size N ...]",
                   "Measures how fast rune trains, evaluates and writes here, and what share that is of what the "
                   "processor can do at the same moment. Let nothing else run meanwhile.");
  line.optional_operands("WORKLOAD", request.names, "What to measure. [all]");
  line.group("Options");
  line.option("--seconds", "S", request.options.seconds, "Measure each workload for so long.");
  line.option("--threads", "N", request.options.threads, "0: one for each processor.");
  line.option("--precision", "NAME", request.options.precision,
              "f32, bf16 or auto: bf16 where the processor is faster with it.");
  line.flag("--json", request.json, "Write one line of JSON for each workload.");
  line.flag("--list", request.list, "List the workloads, with --json all that they are.");
  line.flag("--roofs", request.roofs, "Measure what the processor can do, and nothing else.");
  line.group("Another shape than the workload's own");
  line.option("--cell", "NAME", request.shape.cell, train::list_names<Cell>() + ".");
  line.option("--layers", "N", request.shape.layers, "Recurrent layers.");
  line.option("--hidden-size", "N", request.shape.hidden_size, "Units in a layer.");
  line.option("--embedding", "N", request.shape.embedding, "Size of the input's vectors; 0: one-hot.");
  line.option("--vocabulary-size", "N", request.shape.vocabulary_size, "Characters of the alphabet.");
  line.option("--batch-size", "N", request.shape.batch_size, "Streams, records or texts side by side.");
  line.option("--sequence-length", "N", request.shape.sequence_length, "Characters of each.");
  line.example("rune bench anna write --seconds 10", "");
  line.example("rune bench anna --cell gru --layers 3 --hidden-size 1024 --batch-size 64", "a shape of one's own");
  if (!line.parse(argc, argv)) return false;
  if (!(request.options.seconds > 0) || request.options.seconds > 3600)
    throw UsageError(
        fmt::format("expected --seconds to be above 0 and at most 3600, found {}", request.options.seconds));
  if (request.options.threads < 0)
    throw UsageError(fmt::format("expected --threads to be at least 0, found {}", request.options.threads));
  return true;
}

std::vector<tools::Workload> chosen(const Request& request) {
  std::vector<tools::Workload> workloads;
  std::ranges::transform(request.names, std::back_inserter(workloads), tools::find_workload);
  if (workloads.empty()) workloads = tools::workloads();
  try {
    for (tools::Workload& workload : workloads) workload = tools::reshaped(workload, request.shape);
  } catch (const InputError& error) {
    throw UsageError(error.what());
  }
  return workloads;
}

void list(const std::vector<tools::Workload>& workloads, bool json, Output& output) {
  for (const tools::Workload& workload : workloads)
    output.write(json ? tools::to_json(workload) + '\n'
                      : fmt::format("{:<17}{}\n", workload.name, tools::summary(workload)));
}

void measure_roofs(const Request& request, Output& output) {
  ThreadTeam team(request.options.threads);
  const tools::Roofs roofs = tools::RoofProbe(team).measure();
  output.write((request.json ? tools::to_json(roofs) : tools::to_text(roofs)) + '\n');
}

void measure(const std::vector<tools::Workload>& workloads, const Request& request, Output& output) {
  std::vector<tools::BenchResult> results;
  for (const tools::Workload& workload : workloads) {
    if (!request.json) message(fmt::format("{}: {}\n", workload.name, tools::summary(workload)));
    results.push_back(tools::bench(workload, request.options));
    if (request.json) output.write(tools::to_json(results.back()) + '\n');
  }
  if (!request.json) output.write(tools::bench_table(results));
}

}  // namespace

int bench(int argc, const char* const* argv) {
  Request request;
  if (!parse(argc, argv, request)) return success;
  const std::vector<tools::Workload> workloads = chosen(request);
  Output output(Output::Controls::pass);
  if (request.list)
    list(workloads, request.json, output);
  else if (request.roofs)
    measure_roofs(request, output);
  else
    measure(workloads, request, output);
  output.flush();
  return success;
}

}  // namespace rune::app
