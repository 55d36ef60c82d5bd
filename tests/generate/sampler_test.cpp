#include "generate/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.h"

namespace rune::generate {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kJustBelowOne = 1 - 0x1p-53;

std::vector<double> softmax(const std::vector<float>& logits, double temperature) {
  const double highest = *std::ranges::max_element(logits);
  std::vector<double> probabilities;
  for (const float logit : logits) probabilities.push_back(std::exp((logit - highest) / temperature));
  const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

/// The probabilities by definition: sort, cut, renormalise.
std::vector<double> expected_probabilities(const std::vector<float>& logits, const SampleOptions& options) {
  std::vector<double> probabilities = softmax(logits, options.temperature);
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (options.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(options.top_k)));
  double total = 0;
  for (const std::size_t token : order) total += probabilities[token];
  double kept = 0;
  std::vector<double> result(logits.size(), 0.0);
  for (const std::size_t token : order) {
    result[token] = probabilities[token];
    kept += probabilities[token];
    if (options.top_p < 1 && kept >= options.top_p * total) break;
  }
  for (double& probability : result) probability /= kept;
  return result;
}

std::vector<int> count_draws(const std::vector<float>& logits, const SampleOptions& options, int draws) {
  Sampler sampler(options);
  const RandomStream random(5, RandomPurpose::sample);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<std::size_t>(sampler.draw(logits, random.uniform_double(static_cast<std::uint64_t>(i))))];
  return counts;
}

rc::Gen<std::vector<float>> arbitrary_logits() {
  return rc::gen::nonEmpty(rc::gen::container<std::vector<float>>(
      rc::gen::map(rc::gen::inRange(-40, 41), [](int quarters) { return static_cast<float>(quarters) / 4; })));
}

struct Distribution {
  SampleOptions options;
  const char* name;
};

class SamplerDistributionTest : public testing::TestWithParam<Distribution> {};

TEST_P(SamplerDistributionTest, DrawsWithTheProbabilitiesOfTheDefinition) {
  const std::vector<float> logits{0.5F, -1.25F, 2, 0, 1.5F, -3, 2, 0.75F};
  constexpr int kDraws = 40'000;
  const std::vector<double> expected = expected_probabilities(logits, GetParam().options);
  const std::vector<int> counts = count_draws(logits, GetParam().options, kDraws);
  double chi_square = 0;
  for (std::size_t token = 0; token < logits.size(); ++token) {
    if (expected[token] == 0) {
      EXPECT_EQ(counts[token], 0) << "token " << token << " should never be drawn";
    } else {
      const double difference = counts[token] - kDraws * expected[token];
      chi_square += difference * difference / (kDraws * expected[token]);
    }
  }
  EXPECT_LT(chi_square, 24.3);  // the 99.9 % point of chi-square with 7 degrees of freedom
}

INSTANTIATE_TEST_SUITE_P(All, SamplerDistributionTest,
                         testing::Values(Distribution{{}, "plain"}, Distribution{{.temperature = 0.5F}, "cold"},
                                         Distribution{{.temperature = 3}, "hot"}, Distribution{{.top_k = 3}, "top_k"},
                                         Distribution{{.top_p = 0.8F}, "top_p"},
                                         Distribution{{.temperature = 1.5F, .top_k = 5, .top_p = 0.7F}, "all"}),
                         [](const auto& test) { return test.param.name; });

// Sweeping the uniform number over [0,1) draws the kept tokens and no others, in their order, each for its share of the
// interval.
RC_GTEST_PROP(SamplerTest, TheUniformNumberWalksOverTheKeptTokensInOrder, ()) {
  const auto logits = *arbitrary_logits();
  SampleOptions options;
  options.temperature = static_cast<float>(*rc::gen::inRange(1, 30)) / 10;
  options.top_k = *rc::gen::inRange(0, 12);
  options.top_p = static_cast<float>(*rc::gen::inRange(1, 101)) / 100;
  const std::vector<double> expected = expected_probabilities(logits, options);
  Sampler sampler(options);
  double begin = 0;
  for (std::size_t token = 0; token < logits.size(); ++token) {
    if (expected[token] < 1e-9) continue;
    const double end = begin + expected[token];
    RC_ASSERT(sampler.draw(logits, begin + expected[token] * 1e-3) == static_cast<int>(token));
    RC_ASSERT(sampler.draw(logits, end - expected[token] * 1e-3) == static_cast<int>(token));
    begin = end;
  }
}

RC_GTEST_PROP(SamplerTest, TopOneIsTheMostProbableWhateverTheNumber, ()) {
  const auto logits = *arbitrary_logits();
  const double uniform = *rc::gen::inRange(0, 1000) / 1000.0;
  const auto best = static_cast<int>(std::ranges::max_element(logits) - logits.begin());
  RC_ASSERT(Sampler({.top_k = 1}).draw(logits, uniform) == best);
  RC_ASSERT(Sampler({.temperature = 0}).draw(logits, uniform) == best);
  RC_ASSERT(Sampler({.top_p = 1e-6F}).draw(logits, uniform) == best);
}

TEST(SamplerTest, TiesGoToTheLowerToken) {
  const std::vector<float> logits{1, 2, 2, 1, 2};
  EXPECT_EQ(Sampler({.temperature = 0}).draw(logits, 0.9), 1);
  EXPECT_EQ(Sampler({.top_k = 2}).draw(logits, 0.0), 1);
  EXPECT_EQ(Sampler({.top_k = 2}).draw(logits, kJustBelowOne), 2);
  EXPECT_EQ(Sampler({.top_k = 4}).draw(logits, 0.0), 0);
  EXPECT_EQ(Sampler({.top_k = 4}).draw(logits, kJustBelowOne), 4);
  EXPECT_EQ(Sampler({.top_p = 0.3F}).draw(logits, kJustBelowOne), 2);
}

TEST(SamplerTest, TopPIsMeasuredOnWhatTopKKept) {
  const std::vector<float> logits(10, 0.0F);  // after top-k 4: 0.25 each, so 0.5 keeps two
  const std::vector<int> counts = count_draws(logits, {.top_k = 4, .top_p = 0.5F}, 1000);
  EXPECT_GT(counts[0], 0);
  EXPECT_GT(counts[1], 0);
  EXPECT_EQ(counts[0] + counts[1], 1000);
}

TEST(SamplerTest, TheEndsOfTheIntervalDrawTheFirstAndTheLastToken) {
  const std::vector<float> logits{0, 0, 0};
  Sampler sampler({});
  EXPECT_EQ(sampler.draw(logits, 0), 0);
  EXPECT_EQ(sampler.draw(logits, kJustBelowOne), 2);
}

TEST(SamplerTest, AnImpossibleTokenIsNeverDrawn) {
  const std::vector<float> logits{-1e30F, 0, -1e30F};
  Sampler sampler({});
  EXPECT_EQ(sampler.draw(logits, 0), 1);
  EXPECT_EQ(sampler.draw(logits, kJustBelowOne), 1);
}

TEST(SamplerTest, ExtremeLogitsAndTemperaturesStayFinite) {
  const std::vector<float> logits{-1e30F, 1e30F, 1e30F, std::numeric_limits<float>::lowest()};
  for (const float temperature : {1e-38F, 1.0F, 1e30F, std::numeric_limits<float>::max()}) {
    Sampler sampler({.temperature = temperature, .top_p = 0.999F});
    for (const double uniform : {0.0, 0.3, 0.7, kJustBelowOne}) {
      const int token = sampler.draw(logits, uniform);
      EXPECT_TRUE(token >= 0 && token < 4) << temperature;
      if (temperature <= 1) {
        EXPECT_EQ(token, uniform < 0.5 ? 1 : 2);
      }
    }
  }
}

TEST(SamplerTest, AnAlphabetOfOneHasOneOutcome) {
  const std::vector<float> logits{-7};
  EXPECT_EQ(Sampler({}).draw(logits, 0.5), 0);
  EXPECT_EQ(Sampler({.temperature = 0}).draw(logits, 0.5), 0);
  EXPECT_EQ(Sampler({.top_k = 5, .top_p = 0.1F}).draw(logits, kJustBelowOne), 0);
}

TEST(SamplerTest, OneSamplerServesAlphabetsOfAnySize) {
  Sampler sampler({.top_k = 2});
  EXPECT_EQ(sampler.draw(std::vector<float>{0, 0, 0, 9, 9}, kJustBelowOne), 4);
  EXPECT_EQ(sampler.draw(std::vector<float>{9, 0}, 0), 0);
  EXPECT_EQ(sampler.draw(std::vector<float>{0, 0, 0, 0, 0, 9, 9}, 0), 5);
}

TEST(SamplerTest, LogitsThatAreNotFiniteAreAnError) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    EXPECT_THROW(Sampler({}).draw(std::vector<float>{0, bad, 0}, 0.5), InputError);
    EXPECT_THROW(Sampler({.temperature = 0}).draw(std::vector<float>{0, bad, 0}, 0.5), InputError);
  }
}

TEST(SamplerTest, InvalidOptionsAreRefusedByName) {
  const auto construct = [](const SampleOptions& options) { return [options] { Sampler sampler(options); }; };
  for (const float temperature : {-0.1F, kNan, kInfinity}) {
    EXPECT_THAT(construct({.temperature = temperature}), ThrowsMessage<InputError>(HasSubstr("temperature")))
        << temperature;
  }
  EXPECT_THAT(construct({.top_k = -1}), ThrowsMessage<InputError>(HasSubstr("top_k must be at least 0")));
  for (const float top_p : {0.0F, -0.5F, 1.1F, kNan}) {
    EXPECT_THAT(construct({.top_p = top_p}), ThrowsMessage<InputError>(HasSubstr("top_p"))) << top_p;
  }
}

}  // namespace
}  // namespace rune::generate
