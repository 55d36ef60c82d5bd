#include "text/ngrams.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace rune::text {
namespace {

using Tokens = std::vector<std::int32_t>;

Tokens random_tokens(std::size_t size, std::uint32_t kinds) {
  const RandomStream random(1, RandomPurpose::shuffle);
  Tokens tokens;
  for (std::size_t i = 0; i < size; ++i) tokens.push_back(static_cast<std::int32_t>(random.bits(i) % kinds));
  return tokens;
}

TEST(Ngrams, MixOrdersAsWittenAndBell) {
  // Of "aab", order 0: a seen twice, b once, two kinds: p(b) = (1 + 2 / 4) / 5 with an alphabet of 4.
  const auto entropies = ngram_entropies(Tokens{0, 0, 1}, Tokens{1}, 4, 1);
  EXPECT_DOUBLE_EQ(entropies[0], -std::log2(1.5 / 5));
  EXPECT_DOUBLE_EQ(entropies[1], entropies[0]) << "nothing stands before it";
  // After a: once a, once b.
  EXPECT_DOUBLE_EQ(ngram_entropies(Tokens{0, 0, 1}, Tokens{0, 1}, 4, 1)[1],
                   (-std::log2(2.5 / 5) - std::log2((1 + 2 * 0.3) / 4)) / 2);
}

TEST(Ngrams, WhatRepeatsIsPredictedByItsPast) {
  Tokens cycle;
  for (int i = 0; i < 3000; ++i) cycle.push_back(i % 3 == 2 ? 0 : i % 3);  // 0 1 0 0 1 0 ...
  const auto entropies = ngram_entropies(cycle, Tokens(cycle.begin(), cycle.begin() + 300), 2, 3);
  EXPECT_NEAR(entropies[0], 0.918, 0.01);
  EXPECT_LT(entropies[3], 0.05);
}

TEST(Ngrams, NoiseStaysNoise) {
  const auto entropies = ngram_entropies(random_tokens(20000, 8), random_tokens(1000, 8), 8, 1);
  EXPECT_NEAR(entropies[0], 3, 0.05);
}

TEST(Ngrams, WhatWasNeverSeenHasAProbability) {
  for (const double entropy : ngram_entropies(Tokens{0, 0}, Tokens{1, 2, 1}, 3, 5)) EXPECT_TRUE(std::isfinite(entropy));
}

}  // namespace
}  // namespace rune::text
