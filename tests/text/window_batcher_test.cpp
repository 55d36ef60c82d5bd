#include "text/window_batcher.h"

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

TEST(WindowBatcher, Example) {
  const Tokens tokens{10, 11, 12, 13, 14, 15, 16, 17};
  WindowBatcher batcher(tokens, 3, 2);
  ASSERT_EQ(batcher.blocks(0), 2);
  TokenBlock block = batcher.block(0, 0);
  EXPECT_EQ(block.sequence_length, 3);
  EXPECT_EQ(block.batch_size, 2);
  EXPECT_EQ(copy(block.inputs), (Tokens{10, 13, 11, 14, 12, 15}));
  EXPECT_EQ(copy(block.targets), (Tokens{11, 14, 12, 15, 13, 16}));
  block = batcher.block(0, 1);
  EXPECT_EQ(copy(block.inputs), (Tokens{16, 0, 0, 0, 0, 0}));
  EXPECT_EQ(copy(block.targets), (Tokens{17, -1, -1, -1, -1, -1}));
}

RC_GTEST_PROP(WindowBatcher, EveryCharacterButTheFirstIsATargetOnce, ()) {
  const Tokens tokens = positions(*rc::gen::inRange<std::size_t>(2, 300));
  const auto window = *rc::gen::inRange(1, 40);
  const auto batch_size = *rc::gen::inRange(1, 9);
  WindowBatcher batcher(tokens, window, batch_size);
  std::vector<int> targets(tokens.size());
  for (std::int64_t i = 0; i < batcher.blocks(0); ++i) {
    const TokenBlock block = batcher.block(0, i);
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

TEST(WindowBatcher, NeedsTwoCharactersAndPositiveSizes) {
  const Tokens one = positions(1);
  const Tokens two = positions(2);
  EXPECT_THROW(WindowBatcher(one, 5, 5), InputError);
  EXPECT_THROW(WindowBatcher(two, 0, 5), InputError);
  EXPECT_THROW(WindowBatcher(two, 5, 0), InputError);
  EXPECT_EQ(WindowBatcher(two, 5, 5).blocks(0), 1);
}

TEST(WindowLayout, CountsAsTheNotebooksDo) {
  const auto count = [](std::size_t tokens, int window, int stride, LossOn loss_on, bool partial) {
    return WindowLayout{.window = window, .stride = stride, .loss_on = loss_on, .partial = partial}.count(tokens);
  };
  EXPECT_EQ(count(600893, 3, 3, LossOn::last, true), 200297);  // nietzsche-1
  EXPECT_EQ(count(600893, 8, 1, LossOn::last, true), 600885);  // nietzsche-2 to 4
  EXPECT_EQ(count(600893, 8, 8, LossOn::all, false), 75111);   // nietzsche-5 and 6
  EXPECT_EQ(count(10000, 25, 25, LossOn::all, true), 400);     // holmes-1: the last chunk has 24
  EXPECT_EQ(count(8, 8, 8, LossOn::all, false), 0);
  EXPECT_EQ(count(9, 8, 8, LossOn::all, false), 1);
  EXPECT_EQ(count(1, 8, 8, LossOn::all, true), 0);
}

TEST(WindowBatcher, OverlappingWindowsPredictTheirLastCharacterOnly) {
  const Tokens tokens{10, 11, 12, 13, 14, 15};
  const WindowLayout layout{.window = 3, .stride = 1, .loss_on = LossOn::last};
  WindowBatcher batcher(tokens, layout, 2, {0, 1, 2}, std::nullopt);
  ASSERT_EQ(layout.count(tokens.size()), 3);
  ASSERT_EQ(batcher.blocks(0), 2);
  EXPECT_FALSE(batcher.carries_state());
  TokenBlock block = batcher.block(0, 0);
  EXPECT_EQ(copy(block.inputs), (Tokens{10, 11, 11, 12, 12, 13}));
  EXPECT_EQ(copy(block.targets), (Tokens{-1, -1, -1, -1, 13, 14}));
  block = batcher.block(0, 1);
  EXPECT_EQ(copy(block.inputs), (Tokens{12, 0, 13, 0, 14, 0}));
  EXPECT_EQ(copy(block.targets), (Tokens{-1, -1, -1, -1, 15, -1}));
}

RC_GTEST_PROP(WindowBatcher, ShufflesAnewInEveryEpochAndLosesNothing, ()) {
  const Tokens tokens = positions(*rc::gen::inRange<std::size_t>(60, 200));
  const WindowLayout layout{.window = 4, .stride = *rc::gen::inRange(1, 6), .loss_on = LossOn::last};
  std::vector<std::int32_t> windows(static_cast<std::size_t>(layout.count(tokens.size())));
  std::iota(windows.begin(), windows.end(), 0);
  WindowBatcher batcher(tokens, layout, *rc::gen::inRange(1, 9), windows, *rc::gen::arbitrary<std::uint64_t>());
  const auto walk = [&](std::int64_t epoch) {
    Tokens targets;
    for (std::int64_t i = 0; i < batcher.blocks(epoch); ++i) {
      for (const std::int32_t target : batcher.block(epoch, i).targets) {
        if (target >= 0) targets.push_back(target);
      }
    }
    return targets;
  };
  Tokens first = walk(0);
  Tokens second = walk(1);
  RC_ASSERT(first != second);
  RC_ASSERT(walk(0) == first);
  std::ranges::sort(first);
  std::ranges::sort(second);
  RC_ASSERT(first == second);
  RC_ASSERT(first.size() == windows.size());
  RC_ASSERT(std::ranges::adjacent_find(first) == first.end());
}

RC_GTEST_PROP(SplitWindows, DividesEveryWindowOnce, ()) {
  const auto count = *rc::gen::inRange<std::int64_t>(1, 500);
  TextOptions options;
  options.validation_fraction = *rc::gen::inRange(0, 100) / 100.0;
  options.validation_split = *rc::gen::element(ValidationSplit::random_windows, ValidationSplit::last_windows);
  const WindowSplit split = split_windows(count, options);
  RC_ASSERT(std::ssize(split.validation) ==
            static_cast<std::int64_t>(static_cast<double>(count) * options.validation_fraction));
  std::vector<std::int32_t> all = split.train;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  std::ranges::sort(all);
  RC_ASSERT(std::ssize(all) == count);
  for (std::size_t i = 0; i < all.size(); ++i) RC_ASSERT(all[i] == static_cast<std::int32_t>(i));
  if (options.validation_split == ValidationSplit::last_windows && !split.validation.empty() && !split.train.empty()) {
    RC_ASSERT(split.train.back() < split.validation.front());
  }
}

TEST(SplitWindows, TakesSoManyWhereANumberIsGiven) {
  TextOptions options;
  options.validation_split = ValidationSplit::last_windows;
  options.validation_windows = 1;
  const WindowSplit split = split_windows(200297, options);
  EXPECT_EQ(split.train.size(), 200296U);
  EXPECT_EQ(split.validation, (std::vector<std::int32_t>{200296}));
  EXPECT_TRUE(split_windows(5, {}).validation.empty()) << "the tail is cut from the text instead";
}

}  // namespace
}  // namespace rune::text
