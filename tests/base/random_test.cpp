#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <set>

namespace rune {
namespace {

using Block = std::array<std::uint32_t, 4>;

// The known-answer vectors that the authors of Philox publish with their Random123 library.
TEST(Philox, MatchesThePublishedAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

void expect_functions_of_the_index(std::uint64_t seed, std::uint64_t step, std::uint64_t index) {
  const RandomStream stream(seed, RandomPurpose::dropout, step, 3);
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  ASSERT_EQ(stream.block(index), philox({low(index), high(index), low(step), high(step)}, stream.key()));
  ASSERT_EQ(stream.bits(index), stream.block(index / 4)[index % 4]);
  ASSERT_EQ(stream.uniform(index), static_cast<float>(stream.bits(index) >> 8) / 16777216.0f);

  index /= 4;
  const double first = stream.bits(2 * index) >> 5;
  const double second = stream.bits(2 * index + 1) >> 6;
  const double uniform = stream.uniform_double(index);
  ASSERT_EQ(uniform, (first * 67108864.0 + second) / 9007199254740992.0);
  ASSERT_GE(uniform, 0.0);
  ASSERT_LT(uniform, 1.0);

  const double radius = std::sqrt(-2 * std::log(1 - stream.uniform_double(2 * index)));
  const double expected = radius * std::cos(2 * std::numbers::pi * stream.uniform_double(2 * index + 1));
  ASSERT_NEAR(stream.normal(index), expected, 1e-9);
}

TEST(RandomStream, EveryNumberIsAFunctionOfItsIndex) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, kLast}) {
    expect_functions_of_the_index(0, 0, index);
    expect_functions_of_the_index(kLast, kLast, index);
  }
  std::mt19937_64 random;
  for (int i = 0; i < 1000; ++i) {
    expect_functions_of_the_index(random() >> random() % 64, random() >> random() % 64, random() >> random() % 64);
  }
}

// The numbers behind a seed decide every bit of a training: they may not change from one version to the next.
TEST(RandomStream, NumbersStayWhatTheyAre) {
  EXPECT_EQ(RandomStream(1, RandomPurpose::initialize).key(), (std::array<std::uint32_t, 2>{0xdce61845, 0x210aee97}));
  EXPECT_EQ(RandomStream(7, RandomPurpose::dropout, 12, 1).block(5),
            (Block{0x1598a46a, 0x91e1f36e, 0xd4a16a5d, 0xc89fbf9c}));
}

TEST(RandomStream, EveryPartOfTheKeyMatters) {
  std::set<Block> blocks;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
    for (const auto purpose :
         {RandomPurpose::initialize, RandomPurpose::dropout, RandomPurpose::sample, RandomPurpose::shuffle}) {
      for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
        for (const std::uint32_t layer : {0u, 1u, 2u}) {
          for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
            blocks.insert(RandomStream(seed, purpose, step, layer).block(index));
          }
        }
      }
    }
  }
  EXPECT_EQ(blocks.size(), 3u * 4 * 3 * 3 * 3);
}

TEST(RandomStream, UniformNumbersFillTheUnitIntervalEvenly) {
  const RandomStream stream(1, RandomPurpose::sample);
  constexpr int kCount = 100000;
  std::array<int, 10> histogram{};
  for (int i = 0; i < kCount; ++i) {
    ++histogram[static_cast<std::size_t>(10 * stream.uniform(static_cast<std::uint64_t>(i)))];
  }
  for (const int count : histogram) EXPECT_NEAR(count, kCount / 10, 5 * std::sqrt(kCount * 0.1 * 0.9));
}

TEST(RandomStream, NormalNumbersHaveTheMomentsOfANormalDistribution) {
  const RandomStream stream(1, RandomPurpose::initialize);
  constexpr int kCount = 100000;
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double x = stream.normal(i);
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  EXPECT_NEAR(sum / kCount, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(fourths / kCount, 3, 5 * std::sqrt(96.0 / kCount));
}

}  // namespace
}  // namespace rune
