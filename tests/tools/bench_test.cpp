#include "tools/bench.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "train/recipe.h"

namespace rune::tools {
namespace {

using testing::HasSubstr;

TEST(Workload, HasARecipeAndAName) {
  for (const Workload& workload : workloads()) {
    EXPECT_EQ(&find_workload(workload.name), &workload);
    EXPECT_NO_THROW(train::find_recipe(std::string(workload.recipe))) << workload.name;
    EXPECT_GT(workload.vocabulary_size * workload.batch_size * workload.sequence_length, 0) << workload.name;
  }
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
}

TEST(Bench, MeasuresTrainingAgainstMultiplyAdds) {
  const BenchResult result = bench(find_workload("holmes-1"), {.seconds = 0.01, .threads = 2});
  EXPECT_EQ(result.threads, 2);
  EXPECT_GT(result.characters_per_second, 0);
  // Three times the forward work, two operations a multiply-add.
  EXPECT_DOUBLE_EQ(result.gflops, result.characters_per_second * 3 * 40000 * 2 / 1e9);
  EXPECT_EQ(result.read_peak, 0);
  EXPECT_DOUBLE_EQ(result.share_of_roof(), result.gflops / result.multiply_add_peak);
}

TEST(Bench, MeasuresWritingOneTextAgainstTheStreamOfItsWeights) {
  const BenchResult result = bench(find_workload("write-gru"), {.seconds = 0.01, .threads = 1});
  EXPECT_DOUBLE_EQ(result.weight_gigabytes, result.characters_per_second * 40000 * 4 / 1e9);
  EXPECT_GT(result.read_peak, 0);
  EXPECT_DOUBLE_EQ(result.share_of_roof(), result.weight_gigabytes / result.read_peak);
}

TEST(Bench, ReportsATableAndJson) {
  const BenchResult result{.workload = &find_workload("anna"),
                           .threads = 2,
                           .characters_per_second = 12345.6,
                           .gflops = 100,
                           .multiply_add_peak = 200,
                           .resident_mb = 490};
  EXPECT_THAT(bench_table({result}), HasSubstr("| 2 | 12,345 | 100.0 | 0.50 of 200 GFLOP/s |"));
  const auto json = nlohmann::json::parse(to_json(result));
  EXPECT_EQ(json.at("workload"), "anna");
  EXPECT_EQ(json.at("share_of_roof"), 0.5);
  EXPECT_FALSE(json.contains("read_peak"));
}

}  // namespace
}  // namespace rune::tools
