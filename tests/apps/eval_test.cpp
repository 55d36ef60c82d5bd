#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::HasSubstr;

class Eval : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(1500));
    write("other.txt", sentences(300, 2));
    ASSERT_EQ(run(training("book.txt", "run", {"--steps", "60", "--eval-every", "30"})).exit_code, 0);
  }

  [[nodiscard]] nlohmann::json eval(const Arguments& more) const {
    Arguments arguments{"eval", "run", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }
};

TEST_F(Eval, JsonHoldsOneLossInThreeForms) {
  const auto result = eval({"other.txt"});
  const double loss = result["loss"];
  EXPECT_GT(loss, 0.5);
  EXPECT_LT(loss, std::log(22));
  EXPECT_DOUBLE_EQ(result["bpc"], loss / std::numbers::ln2);
  EXPECT_DOUBLE_EQ(result["perplexity"], std::exp(loss));
  EXPECT_EQ(result["characters"], count_characters(read("other.txt")) - 1);
  EXPECT_EQ(result["protocol"], "stream");
}

TEST_F(Eval, ProtocolsCountTheirOwnCharacters) {
  const auto size = static_cast<int>(count_characters(read("other.txt")));
  EXPECT_EQ(eval({"other.txt", "--protocol", "windows:64"})["characters"], size - 1);
  const auto rows = eval({"other.txt", "--protocol", "rows:4"});
  EXPECT_EQ(rows["protocol"], "rows:4");
  // Whole windows of 4 rows and the 16 characters that the model was trained with.
  EXPECT_EQ(rows["characters"], size / 64 * 64);
}

TEST_F(Eval, MeasuresTheSplitAsTheTrainingDid) {
  const std::string text = sentences(1500);
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) != 0x80) starts.push_back(i);
  }
  const auto split = static_cast<std::size_t>(static_cast<double>(starts.size()) * (1 - 0.1));
  write("tail.txt", text.substr(starts[split]));
  const auto result = eval({"tail.txt", "--protocol", "rows:4", "--precision", "auto"});
  EXPECT_EQ(result["loss"], metrics("run").back()["validation_loss"]);
}

TEST_F(Eval, ADynamicEvaluationIsLabelledAndLearns) {
  const std::string model = read("run/best.safetensors");
  const auto plain = eval({"other.txt"});
  const auto dynamic = eval({"other.txt", "--dynamic", "--lr", "0.2", "--segment", "10"});
  EXPECT_EQ(dynamic["protocol"], "dynamic");
  EXPECT_EQ(dynamic["learning_rate"], 0.2);
  EXPECT_EQ(dynamic["segment"], 10);
  EXPECT_EQ(dynamic["characters"], plain["characters"]);
  EXPECT_LT(dynamic["loss"], plain["loss"]);
  EXPECT_NEAR(eval({"other.txt", "--dynamic", "--lr", "0"})["loss"], plain["loss"].get<double>(), 1e-12);
  EXPECT_THAT(run({"eval", "run", "other.txt", "--dynamic"}).out, HasSubstr("protocol    dynamic"));
  EXPECT_EQ(read("run/best.safetensors"), model);
  EXPECT_EQ(run({"eval", "run", "other.txt", "--dynamic", "--protocol", "stream"}).exit_code, 2);
  ASSERT_EQ(
      run(training("book.txt", "lines", {"--records", "lines", "--batching", "records", "--steps", "2"})).exit_code, 0);
  const Result records = run({"eval", "lines", "book.txt", "--dynamic"});
  EXPECT_EQ(records.exit_code, 1);
  EXPECT_THAT(records.err, HasSubstr("--dynamic measures a running text"));
}

TEST_F(Eval, ThreadsDoNotChangeTheLoss) {
  EXPECT_EQ(eval({"other.txt", "--protocol", "rows:4", "--threads", "1"}),
            eval({"other.txt", "--protocol", "rows:4", "--threads", "2"}));
}

TEST_F(Eval, SeveralFilesAreOneText) {
  write("a.txt", "the rain came ");
  write("b.txt", "and the sea slept");
  write("ab.txt", "the rain came and the sea slept");
  EXPECT_EQ(eval({"a.txt", "b.txt"}), eval({"ab.txt"}));
}

TEST_F(Eval, UnknownCharactersAreNamedWithTheirPlaceOrSkipped) {
  write("odd.txt", "the sea\nslept Q well");
  const Result result = run({"eval", "run", "odd.txt"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("odd.txt"));
  EXPECT_THAT(result.err, HasSubstr("U+0051"));
  EXPECT_THAT(result.err, HasSubstr("line 2"));
  write("even.txt", "the sea\nslept  well");
  EXPECT_EQ(eval({"odd.txt", "--unknown", "skip"}), eval({"even.txt", "--unknown", "skip"}));
}

TEST_F(Eval, TooShortATextIsAFailure) {
  write("tiny.txt", "t");
  EXPECT_EQ(run({"eval", "run", "tiny.txt"}).exit_code, 1);
  EXPECT_EQ(run({"eval", "run", "tiny.txt", "--protocol", "rows:4"}).exit_code, 1);
}

TEST_F(Eval, PlainOutputHasALineForEachFigure) {
  const Result result = run({"eval", "run", "other.txt"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 5);
  EXPECT_THAT(result.out, HasSubstr("nats per character"));
}

}  // namespace
}  // namespace rune::test
