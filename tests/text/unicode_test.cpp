#include "text/unicode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <string>

namespace rune::text {
namespace {

// What Python 3.11's str.lower() gives.
TEST(Lowercase, IsPythons) {
  EXPECT_EQ(lowercase(U"ABC xyz ÄÖÜ ÉÈ ẞ"), U"abc xyz äöü éè ß");
  EXPECT_EQ(lowercase(U"\u0130"), U"i\u0307") << "I with a dot above becomes two characters";
  EXPECT_EQ(lowercase(U"ΟΔΟΣ ΣΟΦΟΣ"), U"οδος σοφος") << "sigma at the end of a word";
  EXPECT_EQ(lowercase(U"\U00010400"), U"\U00010428") << "beyond the first 65,536";
  EXPECT_EQ(lowercase(U""), U"");
}

TEST(Lowercase, ALongTextIsThatOfItsParts) {
  std::u32string text;
  std::u32string expected;
  while (text.size() < (std::size_t{1} << 24) + 1000) {
    text += U"ΟΔΟΣ und ÄPFEL\n";
    expected += U"οδος und äpfel\n";
  }
  EXPECT_TRUE(lowercase(text) == expected);
}

TEST(Pattern, MatchesTheWholeText) {
  Pattern pattern("\\s*https?://\\S+\\s*", "skip_records");
  EXPECT_TRUE(pattern.matches(U"https://a.b/é"));
  EXPECT_TRUE(pattern.matches(U" http://a "));
  EXPECT_FALSE(pattern.matches(U"see http://a"));
  EXPECT_FALSE(pattern.matches(U""));
}

TEST(Pattern, ErrorsNameTheOption) {
  try {
    Pattern("a(b", "skip_records");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("skip_records"), testing::HasSubstr("'a(b'")));
  }
}

TEST(Pattern, GivesUpInsteadOfRunningForEver) {
  Pattern pattern("(a+)+b", "skip_records");
  EXPECT_THROW((void)pattern.matches(std::u32string(200, U'a')), InputError);
}

}  // namespace
}  // namespace rune::text
