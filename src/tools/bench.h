#pragma once

#include <string>
#include <vector>

#include "tools/probe.h"
#include "tools/workload.h"

namespace rune::tools {

struct BenchOptions {
  double seconds = 2;  // of each workload, without the probes
  int threads = 0;     // 0: one for each processor
  Precision precision = Precision::f32;
  bool probes = true;  // false: without the roofs, which BenchResult then has as 0
};

/// Medians of a workload's repetitions, and of the probes between them.
struct BenchResult {
  Workload workload;
  int threads = 0;
  Precision precision = Precision::f32;  // never `automatic`
  double characters_per_second = 0;
  double gflops = 0;  // of the matrix products
  Roofs roofs;
  /// Where weights are read once for every character, their stream is the roof: GB/s, 0 where it is not.
  double weight_gigabytes = 0;
  double weight_read = 0;  // reading as many bytes, wherever they stay
  double resident_mb = 0;  // that the process holds while it works, without what the probes read

  /// GFLOP/s that products of this precision could reach.
  [[nodiscard]] double multiply_add_peak() const {
    return precision == Precision::bf16 ? roofs.bf16_dots : roofs.multiply_adds;
  }
  /// Of the roof: of the reading peak where the weights are streamed, of the multiply-add peak elsewhere.
  [[nodiscard]] double share_of_roof() const {
    return weight_read > 0 ? weight_gigabytes / weight_read : gflops / multiply_add_peak();
  }
};

/// Measures one workload: once to warm up, then again and again, each repetition between two probes.
BenchResult bench(const Workload& workload, const BenchOptions& options);

/// A table in Markdown.
std::string bench_table(const std::vector<BenchResult>& results);
/// "f32 multiply-adds 230 GFLOP/s, bf16 dot products 460 GFLOP/s, last cache 120 GB/s, memory 34 GB/s".
std::string to_text(const Roofs& roofs);

/// One line of JSON: what is measured, so that others can do the same.
std::string to_json(const Workload& workload);
/// The same with what was measured.
std::string to_json(const BenchResult& result);
std::string to_json(const Roofs& roofs);

}  // namespace rune::tools
