#include <gmock/gmock.h>

#include <set>

#include "apps/program.h"
#include "text/utf8.h"

namespace rune::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Texts of every kind, from the file to the model and back.
class Text : public ProgramTest {
 protected:
  /// Trains a few steps.
  [[nodiscard]] Result learn(const std::string& text, const Arguments& more = {}) const {
    Arguments arguments{"--steps", "6", "--eval-every", "3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(training(text, "run", arguments));
  }
  [[nodiscard]] nlohmann::json inspect() const {
    return nlohmann::json::parse(run({"inspect", "run/last.safetensors", "--json"}).out);
  }
  /// Sentences in Chinese, without spaces.
  static std::string chinese() {
    std::string text;
    for (int i = 0; i < 60; ++i)
      text += i % 3 == 0 ? "\u4f60\u597d\u4e16\u754c\u3002" : "\u6211\u7231\u5317\u4eac\u3002\n";
    return text;
  }
};

TEST_F(Text, Latin1IsDetectedAndSaid) {
  std::string latin1;
  for (const char32_t c : text::decode_utf8(sentences(800), "text")) latin1 += static_cast<char>(c);
  write("book.txt", latin1);
  const Result result = learn("book.txt");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, testing::AnyOf(HasSubstr("ISO-8859-1 ("), HasSubstr("windows-1252 (")));
  EXPECT_THAT(inspect()["alphabet"].get<std::string>(), HasSubstr("\u00fc"));
}

TEST_F(Text, Utf16AndCarriageReturnsAreText) {
  std::string utf16 = "\xff\xfe";
  for (char32_t c : text::decode_utf8(sentences(400), "text")) {
    if (c == '\n') c = '\r';
    utf16 += {static_cast<char>(c), '\0'};
  }
  write("chat.txt", utf16);
  const Result result = learn("chat.txt");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("UTF-16LE"), HasSubstr("line ends CR")));
  EXPECT_THAT(inspect()["alphabet"].get<std::string>(), Not(HasSubstr("\r")));
}

TEST_F(Text, ChineseIsLearnedByWords) {
  write("novel.txt", chinese());
  const Result result = learn("novel.txt", {"--unit", "word"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("words"));
  const Result sample = run({"sample", "run", "-p", "\u4f60\u597d", "-n", "20", "--seed", "3"});
  ASSERT_EQ(sample.exit_code, 0) << sample.err;
  EXPECT_TRUE(sample.out.starts_with("\u4f60\u597d"));
  EXPECT_GT(count_characters(sample.out), 21U) << "words of several characters";
  EXPECT_EQ(run({"eval", "run", "novel.txt"}).exit_code, 0);
}

TEST_F(Text, HindiIsLearnedByGraphemes) {
  std::string hindi;
  for (int i = 0; i < 80; ++i)
    hindi += i % 3 == 0 ? "\u0928\u092e\u0938\u094d\u0924\u0947 " : "\u0926\u0941\u0928\u093f\u092f\u093e\n";
  write("hindi.txt", hindi);
  ASSERT_EQ(learn("hindi.txt", {"--unit", "grapheme"}).exit_code, 0);
  EXPECT_THAT(run({"next", "run", "-k", "0"}).out, HasSubstr("'\u0926\u0941'")) << "a letter with its vowel sign";
  EXPECT_EQ(run({"sample", "run", "-p", "\u0926\u0941", "-n", "20"}).exit_code, 0);
  EXPECT_EQ(run({"sample", "run", "-p", "\u0926", "-n", "20"}).exit_code, 1) << "no unit of the text";
}

TEST_F(Text, BytesComeOutAsTheyWentIn) {
  write("book.txt", sentences(300) + "\xff\xfe\x01");
  const Result refused = learn("book.txt", {"--unit", "byte"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("book.txt"), HasSubstr("--on-invalid")));
  const Result result = learn("book.txt", {"--unit", "byte", "--on-invalid", "bytes"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Result sample = run({"sample", "run", "-n", "500", "--temperature", "3"});
  EXPECT_EQ(sample.out.size(), 500U);
  const auto json = inspect();
  EXPECT_EQ(json["text"]["unit"], "byte");
  EXPECT_THAT(run({"next", "run", "the", "-k", "0"}).out, AllOf(HasSubstr("the byte 255 "), HasSubstr("'a' ")));
  const auto next = nlohmann::json::parse(run({"next", "run", "the", "--json", "-k", "0"}).out);
  std::set<int> tokens;
  for (const auto& candidate : next) tokens.insert(candidate["token"].get<int>());
  EXPECT_EQ(tokens.size(), next.size()) << "JSON has no such bytes, which tokens tell apart";
}

TEST_F(Text, EvalAndPromptsFollowTheModelsForm) {
  write("book.txt", sentences(800));
  ASSERT_EQ(learn("book.txt", {"--lowercase"}).exit_code, 0);
  write("loud.txt", "THE RAIN CAME AND THE SEA SLEPT");
  write("soft.txt", "the rain came and the sea slept");
  EXPECT_EQ(run({"eval", "run", "loud.txt", "--json"}).out, run({"eval", "run", "soft.txt", "--json"}).out);
  EXPECT_EQ(run({"sample", "run", "-p", "RAIN", "-n", "9"}).out, run({"sample", "run", "-p", "rain", "-n", "9"}).out);
  EXPECT_EQ(run({"next", "run", "RAIN"}).out, run({"next", "run", "rain"}).out);
}

TEST_F(Text, EvalOfARecordModelReadsRecords) {
  std::string names;
  for (int i = 0; i < 40; ++i) names += i % 2 == 0 ? "mary\n" : "anna\n";
  write("names.txt", names);
  ASSERT_EQ(
      learn("names.txt", {"--records", "lines", "--batching", "records", "--validation-fraction", "0.5"}).exit_code, 0);
  write("few.txt", "mary\nanna\n");
  const auto lines = nlohmann::json::parse(run({"eval", "run", "few.txt", "--precision", "auto", "--json"}).out);
  EXPECT_EQ(lines["characters"], 2 * 5) << "every letter, and the end";
  write("few.csv", "1,mary\n2,anna\n");
  const Result csv =
      run({"eval", "run", "few.csv", "--records", "csv", "--column", "1", "--precision", "auto", "--json"});
  EXPECT_EQ(nlohmann::json::parse(csv.out)["loss"], lines["loss"]);
  EXPECT_EQ(metrics("run").back()["validation_loss"], lines["loss"]) << "as in training";
}

TEST_F(Text, RecordsAreWrittenOnePerLineAndKnownOnesAreNamed) {
  std::string names;
  for (int i = 0; i < 200; ++i) names += i % 2 == 0 ? "mary\n" : "marc\n";
  write("names.txt", names);
  ASSERT_EQ(
      learn("names.txt", {"--records", "lines", "--batching", "records", "--steps", "120", "--lr", "0.02"}).exit_code,
      0);
  const Result result = run({"sample", "run", "-p", "mar", "--num-samples", "30", "--temperature", "0.7"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 30);
  EXPECT_TRUE(result.out.starts_with("mar"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("in the training set: mar"), HasSubstr("of 30 are in the training set")));
  const Result novel = run({"sample", "run", "--num-samples", "5", "--temperature", "3", "--novel"});
  ASSERT_EQ(novel.exit_code, 0) << novel.err;
  EXPECT_EQ(std::ranges::count(novel.out, '\n'), 5);
  EXPECT_THAT('\n' + novel.out, AllOf(Not(HasSubstr("\nmary\n")), Not(HasSubstr("\nmarc\n"))));
  std::filesystem::rename(path("names.txt"), path("away.txt"));
  EXPECT_THAT(run({"sample", "run", "--novel"}).err, HasSubstr("--novel"));
}

TEST_F(Text, CopiesAcrossTheSplitAreReported) {
  write("names.txt", "ann\nbob\neve\nann\nzoe\nbob\n");
  const Result result =
      learn("names.txt", {"--records", "lines", "--batching", "records", "--validation-fraction", "0.5"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("2 of 3 records"));
}

TEST_F(Text, ValidationMayBeAFileOfItsOwn) {
  write("book.txt", sentences(800));
  write("other.txt", sentences(100, 7));
  ASSERT_EQ(learn("book.txt", {"--validation", "other.txt"}).exit_code, 0);
  const Result stream_result =
      run({"eval", "run/last.safetensors", "other.txt", "--protocol", "rows:4", "--precision", "auto", "--json"});
  const auto stream = nlohmann::json::parse(stream_result.out);
  EXPECT_EQ(stream["loss"], metrics("run").back()["validation_loss"]);
  EXPECT_EQ(run({"resume", "run", "--steps", "8"}).exit_code, 0);
}

TEST_F(Text, AFolderOfPoemsIsACorpus) {
  std::filesystem::create_directory(path("poems"));
  for (const char* name : {"poems/a.txt", "poems/b.txt", "poems/c.txt"}) write(name, sentences(100));
  write("poems/picture.png", "\x89PNG\xff\xff\xff\xff");
  EXPECT_EQ(learn("poems").exit_code, 1) << "a picture is no text";
  const Result result = learn("poems", {"--include", "*.txt", "--documents", "--validation-split", "documents"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(inspect()["alphabet"].get<std::string>(), HasSubstr("<EOS>"));
}

TEST_F(Text, DocumentsMayBeginFromAZeroState) {
  std::filesystem::create_directory(path("poems"));
  for (const char* name : {"poems/a.txt", "poems/b.txt", "poems/c.txt"}) write(name, sentences(60));
  const Arguments options{"--documents", "--reset-state", "document", "--validation-split", "documents"};
  const Result result = learn("poems", options);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(metrics("run").back()["protocol"], "batches");
  EXPECT_EQ(learn("poems", {"--reset-state", "document"}).exit_code, 2) << "without documents";
}

TEST_F(Text, InspectReadsStandardInput) {
  write("book.txt", sentences(400));
  const auto piped = nlohmann::json::parse(run({"inspect", "-", "--json", "--minutes", "1"}, path("book.txt")).out);
  const auto file = nlohmann::json::parse(run({"inspect", "book.txt", "--json", "--minutes", "1"}).out);
  for (const char* key : {"units", "lines", "suspicions", "entropies"}) EXPECT_EQ(piped[key], file[key]) << key;
}

TEST_F(Text, FineTuningReadsAsTheModelDoes) {
  write("book.txt", sentences(800));
  write("loud.txt", "THE SEA! " + sentences(400));
  ASSERT_EQ(learn("book.txt", {"--unit", "word", "--lowercase"}).exit_code, 0);
  const Result result = run(training("loud.txt", "tuned", {"--from", "run", "--steps", "2"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("new 1: !"), Not(HasSubstr("THE"))));
  const auto model = nlohmann::json::parse(run({"inspect", "tuned/last.safetensors", "--json"}).out);
  EXPECT_EQ(model["text"]["unit"], "word");
  EXPECT_EQ(run({"resume", "tuned", "--steps", "3"}).exit_code, 0);
}

TEST_F(Text, TheAlphabetIsCapped) {
  write("book.txt", sentences(800));
  const Result result = learn("book.txt", {"--max-vocabulary", "12"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("Unknown: "));
  EXPECT_EQ(inspect()["alphabet_size"], 13);
  EXPECT_THAT(run({"sample", "run", "-n", "400", "--temperature", "2"}).out, Not(HasSubstr("<unk>")));
  EXPECT_THAT(run({"sample", "run", "-n", "400", "--temperature", "2", "--allow-unknown"}).out, HasSubstr("<unk>"));
}

// Peers crash on these, or split them into nothing.
TEST_F(Text, TinyAndStrangeTextsHaveADefinedResult) {
  write("empty.txt", "");
  write("one.txt", "x");
  write("same.txt", std::string(200, 'x'));
  write("nul.txt", std::string(100, '\0') + "abc");
  write("short.txt", "to be or not to be");
  for (const char* text : {"empty.txt", "one.txt"}) {
    const Result result = learn(text);
    EXPECT_EQ(result.exit_code, 1) << text;
    EXPECT_THAT(result.err, HasSubstr("expected")) << text;
  }
  for (const char* text : {"same.txt", "nul.txt", "short.txt"}) {
    const Result result = learn(text);
    EXPECT_EQ(result.exit_code, 0) << text << result.err;
    EXPECT_EQ(run({"sample", "run", "-n", "5"}).exit_code, 0) << text;
    std::filesystem::remove_all(path("run"));
  }
  EXPECT_THAT(learn("short.txt").err, HasSubstr("The text is short"));
}

using TextSlow = Text;

TEST_F(TextSlow, OfALargeTextABoundedPartIsMeasuredUnlessAskedFor) {
  std::string text;
  while (text.size() < 21'000'000) text += sentences(2000, text.size());
  write("large.txt", text);
  const Result result = learn("large.txt", {"--steps", "1", "--eval-every", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr(" 2,000,000 of them for validation"));
  std::filesystem::remove_all(path("run"));
  const Result asked = learn("large.txt", {"--steps", "1", "--eval-every", "1", "--validation-fraction", "0.001"});
  EXPECT_THAT(asked.err, Not(HasSubstr("2,000,000 of them")));
}

}  // namespace
}  // namespace rune::test
