#include "text/batcher.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace rune::text {
namespace {

using Tokens = std::vector<std::int32_t>;

/// Token i is i, so that every position can be told from every other.
Tokens positions(std::size_t count) {
  Tokens tokens(count);
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

Tokens copy(std::span<const std::int32_t> tokens) { return {tokens.begin(), tokens.end()}; }

TEST(StreamBatcher, CutsAsSystemADoes) {
  EXPECT_EQ(StreamBatcher(positions(1786700), 128, 100).blocks(), 139);
  EXPECT_EQ(StreamBatcher(positions(198523), 128, 100).blocks(), 15);
}

TEST(StreamBatcher, Example) {
  const Tokens tokens = positions(14);  // two rows of 6, two left over
  StreamBatcher batcher(tokens, 2, 3);
  ASSERT_EQ(batcher.blocks(), 2);
  TokenBlock block = batcher.block(0);
  EXPECT_EQ(block.sequence_length, 3);
  EXPECT_EQ(block.batch_size, 2);
  EXPECT_EQ(copy(block.inputs), (Tokens{0, 6, 1, 7, 2, 8}));
  EXPECT_EQ(copy(block.targets), (Tokens{1, 7, 2, 8, 3, 9}));
  block = batcher.block(1);
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
  for (std::int64_t i = 0; i < batcher.blocks(); ++i) {
    const TokenBlock block = batcher.block(i);
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
  const WholeTextBatcher batcher(tokens, sequence_length);
  Tokens inputs;
  Tokens targets;
  for (std::int64_t i = 0; i < batcher.blocks(); ++i) {
    const TokenBlock block = batcher.block(i);
    RC_ASSERT(block.batch_size == 1);
    RC_ASSERT(block.inputs.size() == static_cast<std::size_t>(block.sequence_length));
    RC_ASSERT(block.targets.size() == block.inputs.size());
    RC_ASSERT(block.sequence_length > 0);
    RC_ASSERT(block.sequence_length <= sequence_length);
    if (i + 1 < batcher.blocks()) RC_ASSERT(block.sequence_length == sequence_length);
    inputs.insert(inputs.end(), block.inputs.begin(), block.inputs.end());
    targets.insert(targets.end(), block.targets.begin(), block.targets.end());
  }
  RC_ASSERT(inputs == Tokens(tokens.begin(), tokens.end() - 1));
  RC_ASSERT(targets == Tokens(tokens.begin() + 1, tokens.end()));
}

TEST(WindowBatcher, Example) {
  const Tokens tokens{10, 11, 12, 13, 14, 15, 16, 17};
  WindowBatcher batcher(tokens, 3, 2);
  ASSERT_EQ(batcher.blocks(), 2);
  TokenBlock block = batcher.block(0);
  EXPECT_EQ(block.sequence_length, 3);
  EXPECT_EQ(block.batch_size, 2);
  EXPECT_EQ(copy(block.inputs), (Tokens{10, 13, 11, 14, 12, 15}));
  EXPECT_EQ(copy(block.targets), (Tokens{11, 14, 12, 15, 13, 16}));
  block = batcher.block(1);
  EXPECT_EQ(copy(block.inputs), (Tokens{16, 0, 0, 0, 0, 0}));
  EXPECT_EQ(copy(block.targets), (Tokens{17, -1, -1, -1, -1, -1}));
}

RC_GTEST_PROP(WindowBatcher, EveryCharacterButTheFirstIsATargetOnce, ()) {
  const Tokens tokens = positions(*rc::gen::inRange<std::size_t>(2, 300));
  const auto window = *rc::gen::inRange(1, 40);
  const auto batch_size = *rc::gen::inRange(1, 9);
  WindowBatcher batcher(tokens, window, batch_size);
  std::vector<int> targets(tokens.size());
  for (std::int64_t i = 0; i < batcher.blocks(); ++i) {
    const TokenBlock block = batcher.block(i);
    RC_ASSERT(block.inputs.size() == static_cast<std::size_t>(window * batch_size));
    RC_ASSERT(block.targets.size() == block.inputs.size());
    for (std::size_t k = 0; k < block.inputs.size(); ++k) {
      const std::int32_t target = block.targets[k];
      RC_ASSERT(block.inputs[k] == (target == -1 ? 0 : target - 1));
      if (target == -1) continue;
      ++targets[static_cast<std::size_t>(target)];
      const auto row = static_cast<std::int32_t>(k % static_cast<std::size_t>(batch_size));
      const auto column = static_cast<std::int32_t>(k / static_cast<std::size_t>(batch_size));
      RC_ASSERT(target - 1 == (static_cast<std::int32_t>(i) * batch_size + row) * window + column);
    }
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) RC_ASSERT(targets[i] == (i > 0 ? 1 : 0));
}

TEST(Batchers, NeedTwoCharactersAndPositiveSizes) {
  const Tokens one = positions(1);
  const Tokens two = positions(2);
  EXPECT_THROW(WholeTextBatcher({}, 5), InputError);
  EXPECT_THROW(WholeTextBatcher(one, 5), InputError);
  EXPECT_THROW(WholeTextBatcher(two, 0), InputError);
  EXPECT_THROW(WindowBatcher(one, 5, 5), InputError);
  EXPECT_THROW(WindowBatcher(two, 0, 5), InputError);
  EXPECT_THROW(WindowBatcher(two, 5, 0), InputError);
  EXPECT_EQ(WholeTextBatcher(two, 5).blocks(), 1);
  EXPECT_EQ(WindowBatcher(two, 5, 5).blocks(), 1);
}

}  // namespace
}  // namespace rune::text
