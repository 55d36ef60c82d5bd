#include "text/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace rune::text {
namespace {

using Strings = std::vector<std::string>;
using testing::HasSubstr;

TextOptions csv(int column = 0) {
  TextOptions options;
  options.form.records = Records::csv;
  options.form.column = column;
  return options;
}

/// The text comes in pieces of so many bytes.
Strings split_records(std::string_view text, const TextOptions& options, std::size_t piece = 1000) {
  Strings kept;
  RecordFilter filter(options);
  const auto visit = [&](const std::string& record) {
    if (auto text_of = filter.keep(record)) kept.push_back(std::move(*text_of));
  };
  RecordReader reader(options.form, "'messages'");
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) reader.add(text.substr(0, piece), visit);
  reader.finish(visit);
  filter.begin_again();
  return kept;
}

std::string error_of(std::string_view text, const TextOptions& options) {
  try {
    split_records(text, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Records, LinesAreRecordsAndEmptyOnesAreNot) {
  TextOptions options;
  options.form.records = Records::lines;
  EXPECT_EQ(split_records("one\n\ntwo\nthree", options), (Strings{"one", "two", "three"}));
}

TEST(Records, SeparatorLinesStandBetweenRecords) {
  TextOptions options;
  options.form.records = Records::separator;
  EXPECT_EQ(split_records("a\nb\n%\nc\n%\n%\nd%\n", options), (Strings{"a\nb", "c", "d%"}));
  options.form.separator = "--";
  EXPECT_EQ(split_records("a\n--\nb", options), (Strings{"a", "b"}));
}

TEST(Records, CsvFollowsRfc4180) {
  const std::string text = "plain,1\n\"with, comma\",2\n\"two\nlines\",3\n\"a \"\"quote\"\"\",4\n,5\nlast,6";
  EXPECT_EQ(split_records(text, csv()), (Strings{"plain", "with, comma", "two\nlines", "a \"quote\"", "last"}));
  EXPECT_EQ(split_records(text, csv(1)), (Strings{"1", "2", "3", "4", "5", "6"}));
}

TEST(Records, CsvErrorsNameTheLine) {
  EXPECT_THAT(error_of("a\n\"b", csv()), HasSubstr("line 2"));
  EXPECT_THAT(error_of("a\nb\"c\n", csv()), HasSubstr("line 2"));
  EXPECT_THAT(error_of("\"a\nb\"x\n", csv()), HasSubstr("line 2"));
  EXPECT_THAT(error_of("a,b\n\nc\n", csv(1)), testing::AllOf(HasSubstr("line 3"), HasSubstr("column 1")));
}

RC_GTEST_PROP(Records, CsvReadsWhatIsWrittenAsItSays, ()) {
  const auto fields = *rc::gen::nonEmpty(rc::gen::container<Strings>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '!')))));
  std::string text;
  for (const std::string& field : fields) {
    text += "x,\"";
    for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    text += "\"\n";
  }
  RC_ASSERT(split_records(text, csv(1)) == fields);
}

RC_GTEST_PROP(Records, AreTheSameInWhateverPiecesTheTextComes, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\t', '%', '{', '}'));
  const auto piece = *rc::gen::inRange<std::size_t>(1, 9);
  TextOptions options;
  for (const auto kind : {Records::lines, Records::csv, Records::tsv, Records::jsonl, Records::separator,
                          Records::paragraphs, Records::files}) {
    options.form.records = kind;
    options.form.field = kind == Records::jsonl ? "a" : "";
    const auto outcome = [&](std::size_t size) {
      try {
        return split_records(text, options, size);
      } catch (const InputError& error) {
        return Strings{"error", error.what()};
      }
    };
    RC_ASSERT(outcome(piece) == outcome(text.size() + 1));
  }
}

TEST(Records, TabsCutLines) {
  TextOptions options = csv(1);
  options.form.records = Records::tsv;
  EXPECT_EQ(split_records("a\t\"b\n\nc\td\te\n", options), (Strings{"\"b", "d"}));
  EXPECT_THAT(error_of("a\tb\nc\n", options), testing::AllOf(HasSubstr("line 2"), HasSubstr("column 1")));
}

TEST(Records, AColumnIsFoundByItsName) {
  TextOptions options = csv();
  options.form.field = "text";
  EXPECT_EQ(split_records("id,text\n1,one\n2,\"two, too\"\n", options), (Strings{"one", "two, too"}));
  EXPECT_THAT(error_of("id,body\n1,one\n", options), HasSubstr("'text'"));
  options.form.records = Records::tsv;
  EXPECT_EQ(split_records("text\tid\none\t1\n", options), (Strings{"one"}));
}

TEST(Records, JsonLinesHaveAField) {
  TextOptions options;
  options.form = {.records = Records::jsonl, .field = "text"};
  options.form.lowercase = true;
  EXPECT_EQ(split_records("{\"Text\":1,\"text\":\"A\\nb\\u00e9\"}\n\n{\"text\":\"\"}\n{\"text\":\"c\"}", options),
            (Strings{"a\nb\u00e9", "c"}));
  EXPECT_THAT(error_of("{\"text\":\"a\"}\n{\"body\":\"b\"}", options),
              testing::AllOf(HasSubstr("'messages', line 2"), HasSubstr("no such field")));
  EXPECT_THAT(error_of("{\"text\":5}", options), HasSubstr("number"));
  EXPECT_THAT(error_of("{\"text\":", options), HasSubstr("line 1"));
}

TEST(Records, EmptyLinesStandBetweenParagraphs) {
  TextOptions options;
  options.form.records = Records::paragraphs;
  EXPECT_EQ(split_records("\na\nb\n\n \nc\n", options), (Strings{"a\nb", "c"}));
}

TEST(Records, AFileIsOne) {
  TextOptions options;
  options.form.records = Records::files;
  EXPECT_EQ(split_records("a\n\nb\n", options), (Strings{"a\n\nb\n"}));
}

TEST(Records, SomeAreLeftOut) {
  TextOptions options;
  options.form.records = Records::lines;
  const std::string text = "zero\none\nhttps://a.b/c\ntwo times\nthree\n";
  options.max_length = 5;
  EXPECT_EQ(split_records(text, options), (Strings{"zero", "one", "three"}));
  options.max_length = 0;
  options.skip_records = "https?://\\S+";
  EXPECT_EQ(split_records(text, options), (Strings{"zero", "one", "two times", "three"}));
  options.first_record = 1;
  options.max_records = 3;
  EXPECT_EQ(split_records(text, options), (Strings{"one", "two times"}));
  options.first_record = 9;
  EXPECT_THAT(error_of(text, options), HasSubstr("none among 5"));
}

}  // namespace
}  // namespace rune::text
