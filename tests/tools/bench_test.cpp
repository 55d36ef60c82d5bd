#include "tools/bench.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "kernels/kernels.h"

namespace rune::tools {
namespace {

using testing::HasSubstr;

TEST(Workload, HasANameAndAShape) {
  const auto all = workloads();
  EXPECT_GE(all.size(), 11U);
  for (const Workload& workload : all) {
    EXPECT_EQ(find_workload(workload.name), workload);
    EXPECT_GT(workload.vocabulary_size * workload.train.batch_size * workload.train.sequence_length, 0)
        << workload.name;
  }
  EXPECT_EQ(summary(find_workload("anna")), "train LSTM 2 x 512, 128 streams x 100");
  EXPECT_EQ(summary(find_workload("tweets")), "train GRU 1 x 128, 32 records x 80");
  EXPECT_EQ(summary(find_workload("write-gru")), "write GRU 1 x 100, 1 text x 1000");
}

TEST(Workload, TakesAnotherShape) {
  const Workload anna = find_workload("anna");
  EXPECT_EQ(reshaped(anna, {}), anna);
  const Workload changed = reshaped(anna, {.cell = Cell::gru, .layers = 3, .batch_size = 5});
  EXPECT_EQ(summary(changed), "train GRU 3 x 512, 5 streams x 100");
  EXPECT_EQ(changed.model.dropout, anna.model.dropout);
  EXPECT_THROW(reshaped(anna, {.hidden_size = 0}), InputError);
  EXPECT_THROW(reshaped(anna, {.sequence_length = 0}), InputError);
  EXPECT_THROW(reshaped(anna, {.vocabulary_size = 55'296}), InputError);
}

TEST(Workload, AnUnknownOneIsAnErrorWithASuggestion) {
  try {
    find_workload("ana");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'anna'?"));
  }
}

// Counted by hand: W_hh of both layers and W_ih of the second, four gates each, and the projection.
TEST(Workload, MultiplyAddsAreThoseOfTheProducts) {
  EXPECT_EQ(forward_multiply_adds({.cell = Cell::lstm, .layers = 2, .hidden_size = 512}, 83),
            3 * 4 * 512 * 512 + 512 * 83);
  EXPECT_EQ(forward_multiply_adds({.cell = Cell::gru, .layers = 1, .hidden_size = 100, .embedding = 100}, 100),
            3 * 100 * 100 + 100 * 100);
  EXPECT_EQ(forward_multiply_adds({.cell = Cell::loop_concat, .layers = 1, .hidden_size = 8}, 10), 2 * 8 * 8 + 8 * 10);
  EXPECT_EQ(forward_multiply_adds({.cell = Cell::mingru, .layers = 2, .hidden_size = 8}, 10), 2 * 8 * 8 + 8 * 10);
}

TEST(Bench, MeasuresTrainingAgainstMultiplyAdds) {
  const BenchResult result = bench(find_workload("holmes-1"), {.seconds = 0.01, .threads = 2});
  EXPECT_EQ(result.threads, 2);
  EXPECT_GT(result.characters_per_second, 0);
  // Three times the forward work, two operations a multiply-add.
  EXPECT_DOUBLE_EQ(result.gflops, result.characters_per_second * 3 * 40000 * 2 / 1e9);
  EXPECT_EQ(result.weight_read, 0);
  EXPECT_GT(result.resident_mb, 0);
  EXPECT_DOUBLE_EQ(result.share_of_roof(), result.gflops / result.roofs.multiply_adds);
}

TEST(Bench, MeasuresWritingOneTextAgainstTheStreamOfItsWeights) {
  const BenchResult result = bench(find_workload("write-gru"), {.seconds = 0.01, .threads = 1});
  EXPECT_DOUBLE_EQ(result.weight_gigabytes, result.characters_per_second * 40000 * 4 / 1e9);
  EXPECT_GT(result.weight_read, 0);
  EXPECT_DOUBLE_EQ(result.share_of_roof(), result.weight_gigabytes / result.weight_read);
}

TEST(Bench, ProbesTheRoofsUnlessTheyAreNotWanted) {
  const BenchResult probed = bench(find_workload("nietzsche-9"), {.seconds = 0.01, .threads = 1});
  EXPECT_GT(probed.roofs.multiply_adds, 0);
  EXPECT_GT(probed.roofs.memory_read, 0);
  EXPECT_GT(probed.roofs.cache_read, 0);
  // What the processor does not multiply is not probed, and not measured.
  const Precision best = kernels::kernels(Precision::automatic).precision;
  EXPECT_EQ(probed.roofs.bf16_dots > 0, best == Precision::bf16);
  const BenchResult rounded =
      bench(find_workload("nietzsche-9"), {.seconds = 0.01, .threads = 1, .precision = Precision::automatic});
  EXPECT_EQ(rounded.precision, best);
  EXPECT_DOUBLE_EQ(rounded.multiply_add_peak(),
                   best == Precision::bf16 ? rounded.roofs.bf16_dots : rounded.roofs.multiply_adds);
  const BenchResult bare = bench(find_workload("nietzsche-9"), {.seconds = 0.01, .threads = 1, .probes = false});
  EXPECT_GT(bare.gflops, 0);
  EXPECT_EQ(bare.roofs.multiply_adds, 0);
}

TEST(Bench, ReportsATableAndJson) {
  const BenchResult result{.workload = find_workload("anna"),
                           .threads = 2,
                           .characters_per_second = 12345.6,
                           .gflops = 100,
                           .roofs = {.multiply_adds = 200, .cache_read = 100, .memory_read = 30},
                           .resident_mb = 490};
  EXPECT_THAT(bench_table({result}), HasSubstr("| 2 | f32 | 12,345 | 100.0 | 0.50 of 200 GFLOP/s | 490 MB |"));
  const auto json = nlohmann::json::parse(to_json(result));
  EXPECT_EQ(json.at("workload"), "anna");
  EXPECT_EQ(json.at("share_of_roof"), 0.5);
  EXPECT_EQ(json.at("hidden_size"), 512);
  EXPECT_EQ(json.at("roofs").at("memory_read"), 30);
  EXPECT_FALSE(json.contains("weight_read"));
}

}  // namespace
}  // namespace rune::tools
