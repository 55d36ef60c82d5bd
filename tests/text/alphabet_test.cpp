#include "text/alphabet.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rune::text {
namespace {

using Entries = std::vector<std::string>;

const Entries kUnits{"d", "a", "\xc3\xa9", "b"};
const std::vector<std::int64_t> kCounts{1, 90, 6, 2};

Entries chosen(const TextOptions& options) {
  return choose_alphabet(
             kUnits, [] { return kCounts; }, options)
      .entries;
}

TEST(Alphabet, IsSortedBehindItsSymbols) {
  EXPECT_EQ(chosen({}), (Entries{"a", "b", "d", "é"}));
  EXPECT_EQ(chosen({.form = {.records = Records::lines}, .padding_symbol = true}),
            (Entries{"<pad>", "<BOS>", "<EOS>", "a", "b", "d", "é"}));
  EXPECT_EQ(chosen({.form = {.documents = true}}), (Entries{"<EOS>", "a", "b", "d", "é"}));
}

TEST(Alphabet, LeavesOutWhatTrainingSeldomSees) {
  EXPECT_EQ(chosen({.min_frequency = 3}), (Entries{"<unk>", "a", "é"}));
  EXPECT_EQ(chosen({.coverage = 0.96}), (Entries{"<unk>", "a", "é"}));
  EXPECT_EQ(chosen({.coverage = 0.9}), (Entries{"<unk>", "a"}));
  EXPECT_EQ(chosen({.max_vocabulary = 2}), (Entries{"<unk>", "a", "é"}));
}

TEST(Alphabet, HasNoUnknownSymbolWithoutNeed) {
  EXPECT_EQ(chosen({.max_vocabulary = 4}), (Entries{"a", "b", "d", "é"}));
  EXPECT_EQ(chosen({.max_vocabulary = 0}), (Entries{"a", "b", "d", "é"}));
}

TEST(Alphabet, CountsNothingWhereNothingIsLeftOut) {
  bool counted = false;
  const auto count = [&] {
    counted = true;
    return kCounts;
  };
  EXPECT_EQ(choose_alphabet(kUnits, count, {.max_vocabulary = 4}).entries.size(), 4U);
  EXPECT_FALSE(counted);
  EXPECT_EQ(choose_alphabet(kUnits, count, {.max_vocabulary = 3}).entries.size(), 4U);
  EXPECT_TRUE(counted);
}

TEST(Alphabet, TheFormIsKept) { EXPECT_EQ(choose_alphabet({}, {}, {.form = {.column = 7}}).form.column, 7); }

}  // namespace
}  // namespace rune::text
