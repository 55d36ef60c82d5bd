#include "text/stream_batchers.h"

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

TEST(StreamBatcher, CutsAsSystemADoes) {
  EXPECT_EQ(StreamBatcher(positions(1786700), 128, 100).blocks(0), 139);
  EXPECT_EQ(StreamBatcher(positions(198523), 128, 100).blocks(0), 15);
}

TEST(StreamBatcher, Example) {
  const Tokens tokens = positions(14);  // two rows of 6, two left over
  StreamBatcher batcher(tokens, 2, 3);
  ASSERT_EQ(batcher.blocks(0), 2);
  TokenBlock block = batcher.block(0, 0);
  EXPECT_EQ(block.sequence_length, 3);
  EXPECT_EQ(block.batch_size, 2);
  EXPECT_EQ(copy(block.inputs), (Tokens{0, 6, 1, 7, 2, 8}));
  EXPECT_EQ(copy(block.targets), (Tokens{1, 7, 2, 8, 3, 9}));
  block = batcher.block(0, 1);
  EXPECT_EQ(copy(block.inputs), (Tokens{3, 9, 4, 10, 5, 11}));
  EXPECT_EQ(copy(block.targets), (Tokens{4, 10, 5, 11, 0, 6}));
}

RC_GTEST_PROP(StreamBatcher, WalksOverTheKeptPrefixOnce, ()) {
  const auto batch_size = *rc::gen::inRange(1, 9);
  const auto sequence_length = *rc::gen::inRange(1, 12);
  const auto batch = static_cast<std::size_t>(batch_size * sequence_length);
  const Tokens tokens = positions(batch + *rc::gen::inRange<std::size_t>(0, 6 * batch));
  StreamBatcher batcher(tokens, batch_size, sequence_length);
  const std::size_t kept = tokens.size() / batch * batch;
  const std::size_t row_length = kept / static_cast<std::size_t>(batch_size);

  std::vector<int> inputs(tokens.size());
  std::vector<int> targets(tokens.size());
  Tokens previous;  // the last targets of the block before, by row
  for (std::int64_t i = 0; i < batcher.blocks(0); ++i) {
    const TokenBlock block = batcher.block(0, i);
    RC_ASSERT(block.inputs.size() == batch);
    RC_ASSERT(block.targets.size() == batch);
    for (std::size_t k = 0; k < batch; ++k) {
      const auto input = static_cast<std::size_t>(block.inputs[k]);
      const auto target = static_cast<std::size_t>(block.targets[k]);
      ++inputs[input];
      ++targets[target];
      const bool last_of_row = (input + 1) % row_length == 0;
      RC_ASSERT(target == (last_of_row ? input + 1 - row_length : input + 1));
    }
    const auto B = static_cast<std::size_t>(batch_size);
    if (i > 0) RC_ASSERT(copy(block.inputs.first(B)) == previous);  // each row is one stream
    previous = copy(block.targets.last(B));
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    RC_ASSERT(inputs[i] == (i < kept ? 1 : 0));
    RC_ASSERT(targets[i] == (i < kept ? 1 : 0));
  }
}

RC_GTEST_PROP(StreamBatcher, RandomOffsetsWalkOverTheRing, ()) {
  const auto batch_size = *rc::gen::inRange(1, 9);
  const auto sequence_length = *rc::gen::inRange(1, 12);
  const auto batch = static_cast<std::size_t>(batch_size * sequence_length);
  const Tokens tokens = positions(batch + *rc::gen::inRange<std::size_t>(0, 6 * batch));
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto epoch = *rc::gen::inRange<std::int64_t>(0, 1000);
  StreamBatcher batcher(tokens, batch_size, sequence_length, {.random_offsets = seed});
  const std::size_t row_length = tokens.size() / batch * static_cast<std::size_t>(sequence_length);
  const auto B = static_cast<std::size_t>(batch_size);
  const auto size = tokens.size();

  const auto first = static_cast<std::size_t>(batcher.block(epoch, 0).inputs[0]);
  for (std::int64_t i = 0; i < batcher.blocks(epoch); ++i) {
    const TokenBlock block = batcher.block(epoch, i);
    for (std::size_t k = 0; k < batch; ++k) {
      const std::size_t column = static_cast<std::size_t>(i * sequence_length) + k / B;
      const std::size_t place = first + k % B * row_length + column;
      RC_ASSERT(static_cast<std::size_t>(block.inputs[k]) == place % size);
      RC_ASSERT(static_cast<std::size_t>(block.targets[k]) == (place + 1) % size);
    }
  }
  const Tokens once = copy(batcher.block(epoch, 0).inputs);
  StreamBatcher another(tokens, batch_size, sequence_length, {.random_offsets = seed});
  RC_ASSERT(copy(another.block(epoch, 0).inputs) == once);
}

TEST(StreamBatcher, EveryEpochHasAnotherOffset) {
  const Tokens tokens = positions(1000);
  StreamBatcher batcher(tokens, 4, 25, {.random_offsets = 1});
  std::vector<std::int32_t> starts;
  for (std::int64_t epoch = 0; epoch < 400; ++epoch) starts.push_back(batcher.block(epoch, 0).inputs[0]);
  for (const int quarter : {0, 1, 2, 3}) {
    const auto in_quarter = std::ranges::count_if(starts, [&](std::int32_t start) { return start / 250 == quarter; });
    EXPECT_NEAR(static_cast<double>(in_quarter), 100, 40);
  }
  std::ranges::sort(starts);
  const auto repeated = std::ranges::unique(starts);
  EXPECT_GT(std::ssize(starts) - std::ssize(repeated), 300);
}

RC_GTEST_PROP(StreamBatcher, LongerWindowsGoOnWhereTheShortOnesEnd, ()) {
  const auto batch_size = *rc::gen::inRange(1, 5);
  const auto sequence_length = *rc::gen::inRange(1, 6);
  const Tokens tokens = positions(static_cast<std::size_t>(batch_size * sequence_length * *rc::gen::inRange(1, 8)));
  StreamBatcher usual(tokens, batch_size, sequence_length);
  const std::int64_t windows = usual.blocks(0);
  const auto doubled_from = *rc::gen::inRange<std::int64_t>(0, 4 * windows);
  StreamBatcher batcher(tokens, batch_size, sequence_length, {.doubled_from = doubled_from});
  std::int64_t block_number = 0;
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    Tokens expected;
    Tokens expected_targets;
    for (std::int64_t i = 0; i < windows; ++i) {
      const TokenBlock block = usual.block(0, i);
      expected.insert(expected.end(), block.inputs.begin(), block.inputs.end());
      expected_targets.insert(expected_targets.end(), block.targets.begin(), block.targets.end());
    }
    Tokens inputs;
    Tokens targets;
    for (std::int64_t i = 0; i < batcher.blocks(epoch); ++i, ++block_number) {
      const TokenBlock block = batcher.block(epoch, i);
      RC_ASSERT(block.sequence_length <= batcher.longest());
      const bool last = i + 1 == batcher.blocks(epoch);
      const int longer = block_number < doubled_from ? 1 : 2;
      RC_ASSERT(block.sequence_length == longer * sequence_length ||
                (last && longer == 2 && block.sequence_length == sequence_length));
      inputs.insert(inputs.end(), block.inputs.begin(), block.inputs.end());
      targets.insert(targets.end(), block.targets.begin(), block.targets.end());
    }
    RC_ASSERT(inputs == expected);  // (T, B) blocks one after the other are all rows
    RC_ASSERT(targets == expected_targets);
  }
}

TEST(StreamBatcher, ADoublingIsCountedInBlocksOrEpochs) {
  TrainOptions options{.batch_size = 4, .sequence_length = 5};
  EXPECT_EQ(doubled_from(options, 87), StreamVariation::kNever);
  options.sequence_doubling = {7, Period::Unit::steps};
  EXPECT_EQ(doubled_from(options, 87), 7);
  options.sequence_doubling = {2.5, Period::Unit::epochs};
  EXPECT_EQ(doubled_from(options, 87), 10);
}

TEST(StreamBatcher, SaysHowMuchTextItNeeds) {
  EXPECT_TRUE(StreamBatcher::fits(12800, 128, 100));
  EXPECT_FALSE(StreamBatcher::fits(12799, 128, 100));
  const Tokens tokens = positions(99);
  try {
    StreamBatcher(tokens, 10, 10);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("at least 100 characters"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("found 99"), std::string::npos) << error.what();
  }
  EXPECT_THROW(StreamBatcher(tokens, 0, 10), InputError);
  EXPECT_THROW(StreamBatcher(tokens, 10, -1), InputError);
}

RC_GTEST_PROP(WholeTextBatcher, IsOneStreamOverTheWholeText, ()) {
  const Tokens tokens = positions(*rc::gen::inRange<std::size_t>(2, 200));
  const auto sequence_length = *rc::gen::inRange(1, 250);
  WholeTextBatcher batcher(tokens, sequence_length);
  Tokens inputs;
  Tokens targets;
  for (std::int64_t i = 0; i < batcher.blocks(0); ++i) {
    const TokenBlock block = batcher.block(0, i);
    RC_ASSERT(block.batch_size == 1);
    RC_ASSERT(block.inputs.size() == static_cast<std::size_t>(block.sequence_length));
    RC_ASSERT(block.targets.size() == block.inputs.size());
    RC_ASSERT(block.sequence_length > 0);
    RC_ASSERT(block.sequence_length <= sequence_length);
    if (i + 1 < batcher.blocks(0)) RC_ASSERT(block.sequence_length == sequence_length);
    inputs.insert(inputs.end(), block.inputs.begin(), block.inputs.end());
    targets.insert(targets.end(), block.targets.begin(), block.targets.end());
  }
  RC_ASSERT(inputs == Tokens(tokens.begin(), tokens.end() - 1));
  RC_ASSERT(targets == Tokens(tokens.begin() + 1, tokens.end()));
}

TEST(RowBatcher, Example) {
  const Tokens tokens = positions(13);  // two rows of 6, one left over
  RowBatcher batcher(tokens, 2, 3, std::nullopt);
  ASSERT_EQ(batcher.blocks(0), 2);
  EXPECT_EQ(batcher.longest(), 3);
  EXPECT_TRUE(batcher.carries_state());
  TokenBlock block = batcher.block(0, 0);
  EXPECT_EQ(copy(block.inputs), (Tokens{0, 6, 1, 7, 2, 8}));
  EXPECT_EQ(copy(block.targets), (Tokens{1, 7, 2, 8, 3, 9}));
  block = batcher.block(0, 1);
  EXPECT_EQ(block.sequence_length, 2);
  EXPECT_EQ(copy(block.inputs), (Tokens{3, 9, 4, 10}));
  EXPECT_EQ(copy(block.targets), (Tokens{4, 10, 5, 11}));
}

RC_GTEST_PROP(RowBatcher, RandomLengthsWalkOverTheRowsOnce, ()) {
  const auto batch_size = *rc::gen::inRange(1, 6);
  const auto sequence_length = *rc::gen::inRange(1, 20);
  const Tokens tokens = positions(static_cast<std::size_t>(batch_size * *rc::gen::inRange(2, 400)));
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto epoch = *rc::gen::inRange<std::int64_t>(0, 5);
  RowBatcher batcher(tokens, batch_size, sequence_length, seed);
  const auto row_length = static_cast<std::int64_t>(tokens.size()) / batch_size;
  const std::int64_t blocks = batcher.blocks(epoch);
  RC_ASSERT(blocks >= 1);
  RC_ASSERT(blocks <= std::max<std::int64_t>(1, row_length / sequence_length - 1));
  std::int64_t column = 0;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const TokenBlock block = batcher.block(epoch, i);
    RC_ASSERT(block.sequence_length <= batcher.longest());
    const bool last = column + block.sequence_length == row_length - 1;
    RC_ASSERT(block.sequence_length >= 5 || last || batcher.longest() < 5);
    for (int t = 0; t < block.sequence_length; ++t) {
      for (int b = 0; b < batch_size; ++b) {
        const auto k = static_cast<std::size_t>(t * batch_size + b);
        RC_ASSERT(block.inputs[k] == b * row_length + column + t);
        RC_ASSERT(block.targets[k] == block.inputs[k] + 1);
      }
    }
    column += block.sequence_length;
  }
  RC_ASSERT(column <= row_length - 1);
}

// Of nietzsche.txt: rows of 7,714 characters, at most 963 batches, about 921 that exhaust the text.
TEST(RowBatcher, LengthsAreDrawnAsTheNotebookDraws) {
  const Tokens tokens(493747);
  RowBatcher batcher(tokens, 64, 8, 1);
  double blocks = 0;
  double lengths = 0;
  double drawn = 0;
  for (std::int64_t epoch = 0; epoch < 30; ++epoch) {
    const std::int64_t count = batcher.blocks(epoch);
    EXPECT_LE(count, 963);
    blocks += static_cast<double>(count) / 30;
    for (std::int64_t i = 0; i + 1 < count; ++i, ++drawn) lengths += batcher.block(epoch, i).sequence_length;
  }
  EXPECT_NEAR(blocks, 921, 15);
  EXPECT_NEAR(lengths / drawn, 8.37, 0.1);
}

TEST(RowBatcher, EpochsDifferAndRepeatWhenAskedAgain) {
  const Tokens tokens = positions(3000);
  RowBatcher batcher(tokens, 2, 8, 7);
  const auto lengths = [&](std::int64_t epoch) {
    std::vector<int> result;
    for (std::int64_t i = 0; i < batcher.blocks(epoch); ++i) result.push_back(batcher.block(epoch, i).sequence_length);
    return result;
  };
  const auto first = lengths(0);
  EXPECT_NE(lengths(1), first);
  EXPECT_EQ(lengths(0), first);
  EXPECT_THROW(RowBatcher(positions(3), 2, 8, 7), InputError);
}

TEST(WholeTextBatcher, NeedsTwoCharactersAndAPositiveLength) {
  const Tokens one = positions(1);
  const Tokens two = positions(2);
  EXPECT_THROW(WholeTextBatcher({}, 5), InputError);
  EXPECT_THROW(WholeTextBatcher(one, 5), InputError);
  EXPECT_THROW(WholeTextBatcher(two, 0), InputError);
  EXPECT_EQ(WholeTextBatcher(two, 5).blocks(0), 1);
}

}  // namespace
}  // namespace rune::text
