#include "text/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <string>

namespace rune::text {
namespace {

TEST(Pattern, MatchesTheWholeText) {
  Pattern pattern("\\s*https?://\\S+\\s*", "skip_records");
  EXPECT_TRUE(pattern.matches("https://a.b/é"));
  EXPECT_TRUE(pattern.matches(" http://a "));
  EXPECT_FALSE(pattern.matches("see http://a"));
  EXPECT_FALSE(pattern.matches(""));
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
  EXPECT_THROW((void)pattern.matches(std::string(200, 'a')), InputError);
}

}  // namespace
}  // namespace rune::text
