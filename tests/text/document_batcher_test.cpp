#include "text/document_batcher.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <cstdint>
#include <vector>

#include "support/tokens.h"

namespace rune::text {
namespace {

using test::copy;
using test::Tokens;

constexpr std::int32_t kEnd = 9;

TEST(DocumentBatcher, AStreamTakesTheNextDocumentWhenItsLastOneIsOver) {
  const Tokens tokens{1, 2, 3, 4, kEnd, 5, kEnd, 6, 7, 8, kEnd};
  DocumentBatcher batcher(tokens, kEnd, 2, 3);
  ASSERT_EQ(batcher.blocks(0), 3);
  TokenBlock block = batcher.block(0, 0);
  EXPECT_EQ(copy(block.inputs), (Tokens{1, kEnd, 2, 5, 3, 0}));
  EXPECT_EQ(copy(block.targets), (Tokens{2, 5, 3, kEnd, 4, -1}));
  EXPECT_EQ(std::vector(block.fresh.begin(), block.fresh.end()), (std::vector<std::uint8_t>{1, 1}));
  block = batcher.block(0, 1);
  EXPECT_EQ(copy(block.inputs), (Tokens{4, kEnd, 0, 6, 0, 7}));
  EXPECT_EQ(copy(block.targets), (Tokens{kEnd, 6, -1, 7, -1, 8}));
  EXPECT_EQ(std::vector(block.fresh.begin(), block.fresh.end()), (std::vector<std::uint8_t>{0, 1}));
  block = batcher.block(0, 2);
  EXPECT_EQ(copy(block.targets), (Tokens{-1, kEnd, -1, -1, -1, -1}));
  EXPECT_THROW(DocumentBatcher(Tokens{1}, kEnd, 1, 3), InputError);
}

RC_GTEST_PROP(DocumentBatcher, EveryTokenButTheFirstIsATargetOnce, ()) {
  const auto tokens = *rc::gen::suchThat(rc::gen::container<Tokens>(rc::gen::inRange(0, 10)),
                                         [](const Tokens& some) { return some.size() >= 2; });
  DocumentBatcher batcher(tokens, kEnd, *rc::gen::inRange(1, 5), *rc::gen::inRange(1, 6));
  std::vector<int> expected(10);
  for (std::size_t i = 1; i < tokens.size(); ++i) ++expected[static_cast<std::size_t>(tokens[i])];
  std::vector<int> found(10);
  for (std::int64_t i = 0; i < batcher.blocks(0); ++i) {
    bool counted = false;
    for (const std::int32_t target : batcher.block(0, i).targets) {
      if (target == kNotCounted) continue;
      counted = true;
      ++found[static_cast<std::size_t>(target)];
    }
    RC_ASSERT(counted);
  }
  RC_ASSERT(found == expected);
}

}  // namespace
}  // namespace rune::text
