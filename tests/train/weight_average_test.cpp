#include "train/weight_average.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/small_run.h"

namespace rune::train {
namespace {

std::vector<float> values_of(const model::Parameters& parameters) {
  return {parameters.arena().begin(), parameters.arena().end()};
}

TEST(WeightAverage, IsThatOfTheFormula) {
  const model::Model start = new_model(model_options(), corpus());
  for (const double decay : {0.3, 0.9, 0.9999}) {
    std::vector<std::vector<float>> by_threads;
    for (const int threads : {1, 3}) {
      ThreadTeam team(threads);
      model::Parameters weights = start.network.parameters();
      WeightAverage average(decay, start);
      EXPECT_EQ(values_of(average.weights()), values_of(weights));
      std::vector<double> expected(weights.arena().begin(), weights.arena().end());
      for (std::int64_t update = 1; update <= 200; ++update) {
        const RandomStream random(static_cast<std::uint64_t>(update), RandomPurpose::shuffle);
        for (std::size_t i = 0; i < weights.arena().size(); ++i) weights.arena()[i] = random.uniform(i);
        average.add(weights, update, team);
        const double kept = std::min(decay, (1.0 + static_cast<double>(update)) / (10.0 + static_cast<double>(update)));
        for (std::size_t i = 0; i < expected.size(); ++i)
          expected[i] = kept * expected[i] + (1 - kept) * static_cast<double>(weights.arena()[i]);
      }
      for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(average.weights().arena()[i], expected[i], 2e-6) << "decay " << decay;
      by_threads.push_back(values_of(average.weights()));
    }
    EXPECT_EQ(by_threads[0], by_threads[1]);
  }
}

TEST(WeightAverage, ItsModelHasTheWeightsOfTheLastUpdate) {
  const text::Corpus text = corpus();
  const model::Model start = new_model(model_options(), text);
  ThreadTeam team(1);
  model::Parameters zero(start.network.options(), start.vocabulary.size());
  WeightAverage average(0.5, start);
  const auto loss = [&](const model::Model& model) {
    return generate::Evaluator(model.network, text.validation, {Protocol::Kind::stream, 0}, 5)
        .evaluate(model.network, team)
        .loss;
  };
  EXPECT_EQ(loss(average.model(team)), loss(start));
  for (std::int64_t update = 1; update <= 200; ++update) average.add(zero, update, team);
  EXPECT_NEAR(loss(average.model(team)), std::log(start.vocabulary.size()), 1e-6) << "all are equally probable";
}

TEST(WeightAverage, AllocatesNothing) {
  const model::Model start = new_model(model_options(), corpus());
  ThreadTeam team(2);
  WeightAverage average(0.9, start);
  const std::int64_t before = test::allocations();
  average.add(start.network.parameters(), 1, team);
  EXPECT_EQ(test::allocations(), before);
}

}  // namespace
}  // namespace rune::train
