#pragma once

#include <string>
#include <vector>

#include "tools/workload.h"

namespace rune::tools {

struct BenchOptions {
  double seconds = 2;  // of each workload, without the probes
  int threads = 0;     // 0: one for each processor
  Precision precision = Precision::f32;
};

/// Medians of a workload's repetitions, and of the probes between them.
struct BenchResult {
  const Workload* workload = nullptr;
  int threads = 0;
  Precision precision = Precision::f32;  // never `automatic`
  double characters_per_second = 0;
  double gflops = 0;             // of the matrix products
  double multiply_add_peak = 0;  // GFLOP/s
  /// Where weights are read once for every character, their stream is the roof: GB/s, 0 where it is not.
  double weight_gigabytes = 0;
  double read_peak = 0;
  double resident_mb = 0;  // the most that the process has held, with everything it has measured so far

  /// Of the roof: of the reading peak where the weights are streamed, of the multiply-add peak elsewhere.
  [[nodiscard]] double share_of_roof() const {
    return read_peak > 0 ? weight_gigabytes / read_peak : gflops / multiply_add_peak;
  }
};

/// Measures one workload: once to warm up, then again and again, each repetition between two probes.
BenchResult bench(const Workload& workload, const BenchOptions& options);

/// A table in Markdown.
std::string bench_table(const std::vector<BenchResult>& results);
/// One line of JSON.
std::string to_json(const BenchResult& result);

}  // namespace rune::tools
