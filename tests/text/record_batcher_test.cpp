#include "text/record_batcher.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "support/tokens.h"

namespace rune::text {
namespace {

using test::copy;
using test::positions;
using test::Tokens;

/// Records of the lengths given, one token after the other: token i is i.
struct Texts {
  Tokens tokens;
  std::vector<std::size_t> ends;
  explicit Texts(const std::vector<std::size_t>& lengths) {
    std::size_t end = 0;
    for (const std::size_t length : lengths) ends.push_back(end += length);
    tokens = positions(end);
  }
};

TEST(RecordBatcher, PadsToTheLongestOfABlock) {
  const Texts texts({4, 2, 3});  // 0 1 2 3, 4 5, 6 7 8
  RecordBatcher batcher(texts.tokens, texts.ends, 2, std::nullopt);
  ASSERT_EQ(batcher.blocks(0), 2);
  EXPECT_EQ(batcher.longest(), 3);
  EXPECT_FALSE(batcher.carries_state());
  TokenBlock block = batcher.block(0, 0);
  EXPECT_EQ(block.sequence_length, 2);
  EXPECT_EQ(block.batch_size, 2);
  EXPECT_EQ(copy(block.inputs), (Tokens{4, 6, 0, 7}));
  EXPECT_EQ(copy(block.targets), (Tokens{5, 7, -1, 8}));
  block = batcher.block(0, 1);
  EXPECT_EQ(copy(block.inputs), (Tokens{0, 0, 1, 0, 2, 0}));
  EXPECT_EQ(copy(block.targets), (Tokens{1, -1, 2, -1, 3, -1}));
}

RC_GTEST_PROP(RecordBatcher, EveryRecordOnceInEveryEpoch, ()) {
  const auto lengths =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(2, 12)));
  const Texts texts(lengths);
  const auto batch_size = *rc::gen::inRange(1, 6);
  const bool shuffled = *rc::gen::arbitrary<bool>();
  RecordBatcher batcher(texts.tokens, texts.ends, batch_size,
                        shuffled ? std::optional<std::uint64_t>(3) : std::nullopt);
  for (const std::int64_t epoch : {0, 1, 5}) {
    std::vector<int> targets(texts.tokens.size());
    for (std::int64_t i = 0; i < batcher.blocks(epoch); ++i) {
      const TokenBlock block = batcher.block(epoch, i);
      for (std::size_t k = 0; k < block.targets.size(); ++k) {
        if (block.targets[k] < 0) continue;
        RC_ASSERT(block.inputs[k] == block.targets[k] - 1);
        ++targets[static_cast<std::size_t>(block.targets[k])];
      }
    }
    std::size_t begin = 0;
    for (const std::size_t end : texts.ends) {
      RC_ASSERT(targets[begin] == 0);
      for (std::size_t i = begin + 1; i < end; ++i) RC_ASSERT(targets[i] == 1);
      begin = end;
    }
  }
}

TEST(RecordBatcher, RecordsOfSimilarLengthShareABlockAndEpochsDiffer) {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < 1000; ++i) lengths.push_back(2 + i * 7919 % 50);
  const Texts texts(lengths);
  RecordBatcher batcher(texts.tokens, texts.ends, 10, 1);
  const auto walk = [&](std::int64_t epoch, std::size_t& padded) {
    Tokens inputs;
    for (std::int64_t i = 0; i < batcher.blocks(epoch); ++i) {
      const TokenBlock block = batcher.block(epoch, i);
      inputs.insert(inputs.end(), block.inputs.begin(), block.inputs.end());
      padded += block.targets.size();
    }
    return inputs;
  };
  std::size_t padded = 0;
  const Tokens first = walk(0, padded);
  EXPECT_LT(static_cast<double>(padded), 1.05 * static_cast<double>(texts.tokens.size()));
  EXPECT_NE(walk(1, padded), first);
  EXPECT_EQ(walk(0, padded), first);
}

TEST(RecordBatcher, NeedsARecord) {
  const Texts short_ones({1, 1});
  EXPECT_THROW(RecordBatcher({}, {}, 2, std::nullopt), InputError);
  EXPECT_THROW(RecordBatcher(short_ones.tokens, short_ones.ends, 2, std::nullopt), InputError);
}

}  // namespace
}  // namespace rune::text
