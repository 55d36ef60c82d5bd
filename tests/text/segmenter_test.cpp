#include "text/segmenter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace rune::text {
namespace {

using Strings = std::vector<std::string>;

Strings units(std::string_view text, Unit unit) {
  Strings units;
  Segmenter(unit).for_each(text, [&](std::string_view part) { units.emplace_back(part); });
  return units;
}

TEST(Segmenter, CharactersAreCodePoints) {
  EXPECT_EQ(units("e\u0301é\U0001F600", Unit::character), (Strings{"e", "\u0301", "é", "\U0001F600"}));
  EXPECT_EQ(units("a\xe2\x82z", Unit::character), (Strings{"a", "\xe2", "\x82", "z"})) << "bytes that are none";
  EXPECT_TRUE(units("", Unit::character).empty());
}

TEST(Segmenter, GraphemesAreWhatAReaderSees) {
  EXPECT_EQ(units("e\u0301\u00e9\U0001F468\u200D\U0001F469\u200D\U0001F467\U0001F1EB\U0001F1F7", Unit::grapheme),
            (Strings{"e\u0301", "é", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F1EB\U0001F1F7"}));
}

TEST(Segmenter, WordsComeFromRulesAndDictionaries) {
  EXPECT_EQ(units("Don't stop, 3.14!\n", Unit::word), (Strings{"Don't", " ", "stop", ",", " ", "3.14", "!", "\n"}));
  EXPECT_EQ(units("\u4f60\u597d\u4e16\u754c", Unit::word), (Strings{"\u4f60\u597d", "\u4e16\u754c"})) << "Chinese";
  EXPECT_EQ(units("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", Unit::word).size(), 3U)
      << "Thai";
}

RC_GTEST_PROP(Segmenter, UnitsAreTheTextAgain, (const std::string& bytes)) {
  for (const Unit unit : {Unit::character, Unit::grapheme, Unit::byte, Unit::word}) {
    std::string together;
    for (const std::string& part : units(bytes, unit)) {
      RC_ASSERT(!part.empty());
      together += part;
    }
    RC_ASSERT(together == bytes);
  }
}

}  // namespace
}  // namespace rune::text
