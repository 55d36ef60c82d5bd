#include "server/stop_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace rune::server {
namespace {

struct Outcome {
  std::string text;
  bool stopped = false;
  bool operator==(const Outcome&) const = default;
};

Outcome filtered(const std::vector<std::string>& pieces, const std::vector<std::string>& stops) {
  StopFilter filter(stops);
  Outcome outcome;
  const auto take = [&] {
    for (const Piece& piece : filter.take()) outcome.text += piece.text;
  };
  for (const std::string& piece : pieces) {
    outcome.stopped = !filter.add({.text = piece});
    take();
    if (outcome.stopped) return outcome;
    // What is out can never become part of a stop text.
  }
  filter.finish();
  take();
  return outcome;
}

// By the definition: the text up to the first piece with which a stop text is complete, cut where that begins.
Outcome naive(const std::vector<std::string>& pieces, const std::vector<std::string>& stops) {
  std::string text;
  for (const std::string& piece : pieces) {
    text += piece;
    std::size_t found = std::string::npos;
    for (const std::string& stop : stops) found = std::min(found, text.find(stop));
    if (found != std::string::npos) return {text.substr(0, found), true};
  }
  return {text, false};
}

TEST(StopFilterTest, HoldsBackWhatMayBecomeAStop) {
  StopFilter filter({"end"});
  EXPECT_TRUE(filter.add({.text = "a"}));
  EXPECT_EQ(filter.take().size(), 1U);
  EXPECT_TRUE(filter.add({.text = "e"}));
  EXPECT_TRUE(filter.add({.text = "n"}));
  EXPECT_TRUE(filter.take().empty());
  EXPECT_TRUE(filter.add({.text = "t"}));
  EXPECT_EQ(filter.take().size(), 3U);
  EXPECT_FALSE(filter.add({.text = "xxendyy"}));
  const auto cut = filter.take();
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(cut[0].text, "xx");
}

TEST(StopFilterTest, KeepsWhatTheModelThoughtOfEachPiece) {
  StopFilter filter({"cd"});
  EXPECT_TRUE(filter.add({.text = "b", .log_probability = -1.0}));
  EXPECT_TRUE(filter.add({.text = "c", .log_probability = -2.0}));
  filter.finish();
  const auto pieces = filter.take();
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[1].log_probability, -2.0);
}

RC_GTEST_PROP(StopFilterTest, IsTheNaiveSearch, ()) {
  const auto word = rc::gen::container<std::string>(rc::gen::element('a', 'b'));
  const auto pieces = *rc::gen::container<std::vector<std::string>>(word);
  const auto stops = *rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty(word));
  RC_ASSERT(filtered(pieces, stops) == naive(pieces, stops));
}

}  // namespace
}  // namespace rune::server
