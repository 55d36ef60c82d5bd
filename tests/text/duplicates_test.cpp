#include "text/duplicates.h"

#include <gtest/gtest.h>

#include <string>

namespace rune::text {
namespace {

TEST(Duplicates, RecordsOnBothSidesAreCounted) {
  const TextOptions options{.form = {.records = Records::lines}, .validation_fraction = 0.5};
  const Corpus corpus = Corpus::from_text("ann\nbob\neve\nann\nzoe\nbob\n", options);
  const Copies copies = copies_in_validation(corpus);
  EXPECT_EQ(copies.copied, 2);
  EXPECT_EQ(copies.of, 3);
  EXPECT_EQ(training_records(corpus), (std::unordered_set<std::string>{"ann", "bob", "eve"}));
}

TEST(Duplicates, OfARunningTextPassagesAreCounted) {
  const std::string line(40, 'a');
  const std::string text = line + "\nshort\n" + std::string(40, 'b') + "\n" + line + "\nshort\n" + std::string(40, 'c');
  const Copies copies = copies_in_validation(Corpus::from_text(text, {.validation_fraction = 0.5}));
  EXPECT_EQ(copies.copied, 1);
  EXPECT_EQ(copies.of, 4) << "the rest of a line, two whole ones, and a short one with what comes after it";
}

TEST(Duplicates, LinesOfVerseAreCountedTogether) {
  std::string verse;
  for (int i = 0; i < 20; ++i) verse += "line number " + std::to_string(i) + "\n";
  const Copies copies = copies_in_validation(Corpus::from_text(verse + verse, {.validation_fraction = 0.5}));
  EXPECT_GT(copies.of, 15);
  EXPECT_EQ(copies.copied, copies.of);
}

TEST(Duplicates, WithoutValidationThereAreNone) {
  EXPECT_EQ(copies_in_validation(Corpus::from_text("abc", {.validation_fraction = 0})).of, 0);
}

}  // namespace
}  // namespace rune::text
