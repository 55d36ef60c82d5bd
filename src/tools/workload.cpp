#include "tools/workload.h"

#include <algorithm>
#include <string>
#include <vector>

#include "model/cell.h"
#include "rune/error.h"
#include "train/option_text.h"

namespace rune::tools {
namespace {

using enum Workload::Task;

constexpr Workload kWorkloads[] = {
    {"anna", "train LSTM 2 x 512, 128 streams x 100", train, "anna", 83, 128, 100},
    {"holmes-1", "train GRU 100, one chunk of 25", train, "holmes-1", 100, 1, 25},
    {"holmes-2", "train GRU 2 x 100, one chunk of 200", train, "holmes-2-200", 100, 1, 200},
    {"nietzsche-9", "train GRU 256, 64 streams x 8", train, "nietzsche-9", 56, 64, 8},
    {"nietzsche-9-512", "train GRU 256, 512 streams x 8", train, "nietzsche-9", 56, 512, 8},
    {"nietzsche-10", "train LSTM 2 x 512, 64 streams x 8", train, "nietzsche-10", 56, 64, 8},
    {"tweets", "train GRU 128, 32 records of 80", train, "tweets", 120, 32, 80},
    {"evaluate", "evaluate LSTM 2 x 512, 128 rows x 100", evaluate, "anna", 83, 128, 100},
    {"write", "LSTM 2 x 512 writes one text", write, "anna", 83, 1, 100},
    {"write-gru", "GRU 100 writes one text", write, "holmes-1", 100, 1, 1000},
    {"write-64", "LSTM 2 x 512 writes 64 texts at once", write, "anna", 83, 64, 25},
};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload& find_workload(std::string_view name) {
  const auto found = std::ranges::find(kWorkloads, name, &Workload::name);
  if (found != std::end(kWorkloads)) return *found;
  std::vector<std::string_view> names;
  for (const Workload& workload : kWorkloads) names.push_back(workload.name);
  throw InputError("unknown workload '" + std::string(name) + "'" + train::suggestion(name, names) +
                   "\nrune bench --list shows them");
}

double forward_multiply_adds(const ModelOptions& options, int vocabulary_size) {
  const double hidden = options.hidden_size;
  const model::CellTraits& cell = model::traits_of(options.cell);
  const double recurrent = static_cast<double>(cell.gates) * hidden * hidden;
  const double inner = cell.inner == model::Inner::product ? recurrent : 0;
  return options.layers * (recurrent + inner) + (options.layers - 1) * recurrent + hidden * vocabulary_size;
}

}  // namespace rune::tools
