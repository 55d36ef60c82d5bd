#include "text/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <string>
#include <vector>

#include "text/utf8.h"

namespace rune::text {
namespace {

using Strings = std::vector<std::u32string>;
using testing::HasSubstr;

TextOptions csv(int column = 0) {
  TextOptions options;
  options.records = Records::csv;
  options.column = column;
  return options;
}

std::string error_of(std::u32string_view text, const TextOptions& options) {
  try {
    split_records(text, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Records, LinesAreRecordsAndEmptyOnesAreNot) {
  TextOptions options;
  options.records = Records::lines;
  EXPECT_EQ(split_records(U"one\n\ntwo\nthree", options), (Strings{U"one", U"two", U"three"}));
}

TEST(Records, SeparatorLinesStandBetweenRecords) {
  TextOptions options;
  options.records = Records::separator;
  EXPECT_EQ(split_records(U"a\nb\n%\nc\n%\n%\nd%\n", options), (Strings{U"a\nb", U"c", U"d%"}));
  options.separator = "--";
  EXPECT_EQ(split_records(U"a\n--\nb", options), (Strings{U"a", U"b"}));
}

TEST(Records, CsvFollowsRfc4180) {
  const std::u32string text = U"plain,1\n\"with, comma\",2\n\"two\nlines\",3\n\"a \"\"quote\"\"\",4\n,5\nlast,6";
  EXPECT_EQ(split_records(text, csv()), (Strings{U"plain", U"with, comma", U"two\nlines", U"a \"quote\"", U"last"}));
  EXPECT_EQ(split_records(text, csv(1)), (Strings{U"1", U"2", U"3", U"4", U"5", U"6"}));
}

TEST(Records, CsvErrorsNameTheLine) {
  EXPECT_THAT(error_of(U"a\n\"b", csv()), HasSubstr("line 2"));
  EXPECT_THAT(error_of(U"a\nb\"c\n", csv()), HasSubstr("line 2"));
  EXPECT_THAT(error_of(U"\"a\nb\"x\n", csv()), HasSubstr("line 2"));
  EXPECT_THAT(error_of(U"a,b\n\nc\n", csv(1)), testing::AllOf(HasSubstr("line 3"), HasSubstr("column 1")));
}

RC_GTEST_PROP(Records, CsvReadsWhatIsWrittenAsItSays, ()) {
  const auto fields = *rc::gen::nonEmpty(rc::gen::container<Strings>(
      rc::gen::nonEmpty(rc::gen::container<std::u32string>(rc::gen::element(U'a', U',', U'"', U'\n', U'é')))));
  std::u32string text;
  for (const std::u32string& field : fields) {
    text += U"x,\"";
    for (const char32_t c : field) text += c == U'"' ? std::u32string(U"\"\"") : std::u32string(1, c);
    text += U"\"\n";
  }
  RC_ASSERT(split_records(text, csv(1)) == fields);
}

TEST(Records, SomeAreLeftOut) {
  TextOptions options;
  options.records = Records::lines;
  const std::u32string text = U"zero\none\nhttps://a.b/c\ntwo times\nthree\n";
  options.max_length = 5;
  EXPECT_EQ(split_records(text, options), (Strings{U"zero", U"one", U"three"}));
  options.max_length = 0;
  options.skip_records = "https?://\\S+";
  EXPECT_EQ(split_records(text, options), (Strings{U"zero", U"one", U"two times", U"three"}));
  options.first_record = 1;
  options.max_records = 3;
  EXPECT_EQ(split_records(text, options), (Strings{U"one", U"two times"}));
  options.first_record = 9;
  EXPECT_THAT(error_of(text, options), HasSubstr("none among 5"));
}

}  // namespace
}  // namespace rune::text
