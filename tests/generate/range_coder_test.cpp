#include "generate/range_coder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "generate/adaptive_model.h"

namespace rune::generate {
namespace {

struct Coded {
  std::vector<std::uint32_t> frequencies;
  std::size_t symbol;
};

std::uint64_t total_of(const std::vector<std::uint32_t>& frequencies) {
  return std::accumulate(frequencies.begin(), frequencies.end(), std::uint64_t{0});
}

std::string encode(const std::vector<Coded>& symbols) {
  RangeEncoder encoder;
  for (const Coded& one : symbols) encoder.code(one.frequencies, total_of(one.frequencies), one.symbol);
  return encoder.finish();
}

/// Symbols of frequency 0 among others, of all sizes.
rc::Gen<Coded> coded() {
  return rc::gen::exec([] {
    Coded one;
    const auto count = *rc::gen::inRange<std::size_t>(1, 40);
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits = *rc::gen::inRange(0, 32);
      one.frequencies.push_back(*rc::gen::arbitrary<std::uint32_t>() & ((std::uint32_t{1} << bits) - 1));
    }
    one.symbol = *rc::gen::inRange<std::size_t>(0, count);
    one.frequencies[one.symbol] += one.frequencies[one.symbol] == 0 ? 1 : 0;
    return one;
  });
}

RC_GTEST_PROP(RangeCoderTest, WhatIsWrittenIsRead, ()) {
  const auto symbols = *rc::gen::container<std::vector<Coded>>(coded());
  const std::string bytes = encode(symbols);
  RangeDecoder decoder(bytes);
  for (const Coded& one : symbols) {
    RC_ASSERT(decoder.code(one.frequencies, total_of(one.frequencies), 0) == one.symbol);
    RC_ASSERT(!decoder.over());
  }
  RC_ASSERT(decoder.at_end());
}

TEST(RangeCoderTest, TakesTheBitsThatTheFrequenciesSay) {
  const std::vector<std::uint32_t> frequencies{1, 1000, 70'000, 16'000'000};
  const auto total = static_cast<double>(total_of(frequencies));
  std::vector<Coded> symbols;
  double bits = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    symbols.push_back({frequencies, i % 100 == 0 ? i / 100 % 3 : 3});
    bits += std::log2(total / frequencies[symbols.back().symbol]);
  }
  EXPECT_NEAR(static_cast<double>(encode(symbols).size()) * 8, bits, 16);
}

// The number is just below a boundary for long, and then above it.
TEST(RangeCoderTest, ACarryGoesThroughManyBytes) {
  const std::vector<std::uint32_t> bytes(256, 1);
  std::vector<Coded> symbols(1, Coded{bytes, 7});
  for (int i = 0; i < 50; ++i) symbols.push_back({bytes, 255});
  for (std::size_t last = 0; last < 256; ++last) {
    symbols.back().symbol = last;
    const std::string coded = encode(symbols);
    RangeDecoder decoder(coded);
    for (const Coded& one : symbols) ASSERT_EQ(decoder.code(bytes, 256, 0), one.symbol) << last;
  }
  // Thirds leave a range that is no power of two, so that sums overflow the bytes that are out.
  const std::vector<std::uint32_t> thirds{1, 1, 1};
  symbols.assign(2000, Coded{thirds, 2});
  for (std::size_t i = 0; i < symbols.size(); i += 17) symbols[i].symbol = 1;
  const std::string coded = encode(symbols);
  RangeDecoder decoder(coded);
  for (const Coded& one : symbols) ASSERT_EQ(decoder.code(thirds, 3, 0), one.symbol);
}

TEST(RangeCoderTest, KnowsWhenMoreIsReadThanWasWritten) {
  const std::vector<std::uint32_t> bits{1, 1};
  const std::string coded = encode({{bits, 1}, {bits, 0}});
  RangeDecoder decoder(coded);
  int read = 0;
  while (!decoder.over() && read < 1000) {
    decoder.code(bits, 2, 0);
    ++read;
  }
  EXPECT_LE(read, 24);
}

TEST(AdaptiveModelTest, BothDirectionsLearnTheSame) {
  std::vector<std::size_t> symbols;
  for (std::size_t i = 0; i < 100'000; ++i) symbols.push_back(i % 1000 == 999 ? i / 1000 % 5 : 0);
  RangeEncoder encoder;
  AdaptiveModel writer(5);
  for (const std::size_t symbol : symbols) writer.code(encoder, symbol);
  const std::string coded = encoder.finish();
  RangeDecoder decoder(coded);
  AdaptiveModel reader(5);
  for (const std::size_t symbol : symbols) ASSERT_EQ(reader.code(decoder, 0), symbol);
  EXPECT_LT(coded.size(), 200);  // 80 symbols in 100,000: 0.011 bits each, 140 bytes
}

}  // namespace
}  // namespace rune::generate
