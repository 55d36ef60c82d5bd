#include <sys/resource.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Train : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(1500));
  }
};

TEST_F(Train, MakesARunDirectoryWithEverythingInIt) {
  const Result result = run(training("book.txt", "run", {"--steps", "20", "--eval-every", "10"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "run\n");
  for (const std::string name :
       {"config.toml", "metrics.jsonl", "samples.txt", "best.safetensors", "last.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(path("run/" + name))) << name;
  }
  const auto lines = metrics("run");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["step"], 10);
  EXPECT_EQ(lines[1]["step"], 20);
  EXPECT_EQ(lines[1]["protocol"], "rows:4");
  EXPECT_LT(lines[1]["validation_loss"], lines[0]["validation_loss"]);
  EXPECT_THAT(result.err, HasSubstr("validation"));
}

TEST_F(Train, SaysBeforehandWhatItWillDo) {
  const std::string err = run(training("book.txt", "run", {"--steps", "1"})).err;
  EXPECT_THAT(err, HasSubstr("alphabet of 20"));
  // One-hot input: 4 gates of 24 units for 20 characters and 24 units, two biases; then 20 outputs.
  EXPECT_THAT(err, HasSubstr("4,416"));
  EXPECT_THAT(err, HasSubstr("4,916"));
  EXPECT_THAT(err, HasSubstr("Memory: about"));
}

TEST_F(Train, GivesAdviceWhenModelAndTextAreFarApart) {
  EXPECT_THAT(run(training("book.txt", "large", {"--steps", "1", "--hidden-size", "160"})).err, HasSubstr("by heart"));
  EXPECT_THAT(run(training("book.txt", "small", {"--steps", "1", "--hidden-size", "1", "--cell", "rnn"})).err,
              HasSubstr("larger --hidden-size"));
}

TEST_F(Train, JsonReportsAreTheLinesOfTheMetricsFile) {
  const Result result = run(training("book.txt", "run", {"--steps", "20", "--eval-every", "10", "--json", "--quiet"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  ASSERT_THAT(result.out, StartsWith(read("run/metrics.jsonl")));
  const auto last = nlohmann::json::parse(result.out.substr(read("run/metrics.jsonl").size()));
  EXPECT_EQ(last["run"], "run");
  EXPECT_EQ(last["outcome"], "finished");
  EXPECT_EQ(last["step"], 20);
}

TEST_F(Train, NeverTouchesAnExistingRun) {
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "2"})).exit_code, 0);
  const std::string weights = read("run/last.safetensors");
  const Result again = run(training("book.txt", "run", {"--steps", "4"}));
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("rune resume run"));
  EXPECT_TRUE(read("run/last.safetensors") == weights);
}

TEST_F(Train, NamesRunsAfterTheirTextAndANumber) {
  const Arguments arguments{"train",    "book.txt", "--steps",      "1", "--hidden-size",     "8",
                            "--layers", "1",        "--batch-size", "4", "--sequence-length", "16"};
  EXPECT_EQ(run(arguments).out, "runs/book-1\n");
  EXPECT_EQ(run(arguments).out, "runs/book-2\n");
}

TEST_F(Train, PlansForTheCellThatIsAskedFor) {
  for (const std::string cell : {"lstm", "gru", "mingru"}) {
    const Result result = run({"train", "book.txt", "-o", cell, "--minutes", "0.01", "--cell", cell, "--layers", "1"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("Plan (options that you give win)")) << cell;
    EXPECT_THAT(read(cell + "/config.toml"), AllOf(HasSubstr("\"" + cell + "\""), HasSubstr("layers = 1"))) << cell;
  }
}

// As a full disk is, which tests/faults has at every write.
TEST_F(Train, ALimitOfFileSizesIsAnErrorThatNamesTheFile) {
  const Arguments arguments = training("book.txt", "run", {"--steps", "4"});
  ASSERT_EQ(run(arguments).exit_code, 0);
  const auto enough = std::filesystem::file_size(path("run/last.safetensors"));
  std::filesystem::remove_all(path("run"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit limited{enough * 9 / 10, before.rlim_max};  // the times in a checkpoint differ in their digits
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
  const pid_t child = start(arguments);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  const Result result = wait(child);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr(".safetensors"), HasSubstr("File too large"))) << result.err;
}

TEST_F(Train, LineEndsOfBothKindsTrainTheSameModel) {
  std::string crlf;
  for (const char c : sentences(1500)) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  write("crlf.txt", crlf);
  ASSERT_EQ(run(training("book.txt", "lf", {"--steps", "5"})).exit_code, 0);
  ASSERT_EQ(run(training("crlf.txt", "crlf", {"--steps", "5"})).exit_code, 0);
  EXPECT_TRUE(same_checkpoint("lf/last.safetensors", "crlf/last.safetensors"));
}

TEST_F(Train, ThreadsDoNotChangeTheModel) {
  ASSERT_EQ(run(training("book.txt", "one", {"--steps", "12", "--threads", "1", "--dropout", "0.3"})).exit_code, 0);
  ASSERT_EQ(run(training("book.txt", "two", {"--steps", "12", "--threads", "2", "--dropout", "0.3"})).exit_code, 0);
  EXPECT_TRUE(same_checkpoint("one/last.safetensors", "two/last.safetensors"));
  EXPECT_EQ(metrics("one"), metrics("two"));
}

TEST_F(Train, EveryChoiceOfModelAndOptimiserTrains) {
  const std::vector<Arguments> choices{
      {"--cell", "rnn", "--nonlinearity", "relu", "--init", "identity", "--optimizer", "sgd", "--momentum", "0.9",
       "--nesterov"},
      {"--cell", "gru", "--embedding", "8", "--layers", "2", "--dropout", "0.2", "--output-dropout", "0.1",
       "--optimizer", "adamw"},
      {"--init", "orthogonal", "--forget-bias", "1", "--optimizer", "rmsprop", "--alpha", "0.9", "--weight-decay",
       "1e-5"},
      {"--cell", "mingru", "--dropout", "0.2", "--locked-dropout"},
      {"--weight-drop", "0.3", "--dropout", "0.2", "--no-locked-dropout"},
      {"--schedule", "restarts:3:2", "--warmup", "2", "--beta1", "0.8", "--beta2", "0.99", "--eps", "1e-7"},
      {"--ema-decay", "0.9", "--output-bias", "frequencies", "--schedule", "wsd:0.5:sqrt", "--warmup", "1",
       "--random-offsets", "--sequence-doubling", "3"},
      {"--validation-fraction", "0", "--save-every", "2", "--clip-norm", "0", "--precision", "f32"},
      {"--protocol", "windows:32", "--sample-length", "5", "--sample-temperature", "0", "--seed", "9"}};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    Arguments arguments{"train", "book.txt",     "-o", "run" + std::to_string(i), "--steps", "6", "--hidden-size",
                        "8",     "--batch-size", "4",  "--sequence-length",       "16"};
    arguments.insert(arguments.end(), choices[i].begin(), choices[i].end());
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << testing::PrintToString(choices[i]) << result.err;
  }
  EXPECT_FALSE(std::filesystem::exists(path("run7/best.safetensors")));
  EXPECT_EQ(run({"sample", "run7", "-n", "3"}).exit_code, 0);
}

TEST_F(Train, InvalidUtf8IsNamedWithFileAndByte) {
  write("bad.txt", "good text\xff");
  const Result result = run(training("bad.txt", "run"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("bad.txt"));
  EXPECT_THAT(result.err, HasSubstr("9"));
}

TEST_F(Train, TooShortATextLeavesNoRunBehind) {
  write("short.txt", "x");
  const Result result = run(training("short.txt", "run"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("characters"));
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

TEST_F(Train, FineTuningMapsCharactersByIdentity) {
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "20"})).exit_code, 0);
  write("letters.txt", "Zen " + sentences(1500, 3));
  const Result result = run(training("letters.txt", "tuned", {"--from", "run", "--steps", "2", "--seed", "5"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("kept 20"), HasSubstr("new 1: Z"), HasSubstr("dropped 0")));
  write("few.txt", std::string(3000, 'e') + "\n");
  EXPECT_THAT(run(training("few.txt", "few", {"--from", "run", "--steps", "2"})).err,
              AllOf(HasSubstr("kept 2: \\ne"), HasSubstr("new 0"), HasSubstr("dropped 18")));
}

TEST_F(Train, ADivergingTrainingFailsAndKeepsTheLastGoodModel) {
  const Result result = run(training("book.txt", "run",
                                     {"--steps", "400", "--optimizer", "sgd", "--lr", "1e30", "--clip-norm", "0",
                                      "--cell", "rnn", "--nonlinearity", "relu", "--eval-every", "400"}));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("Rolled back to step 0"), HasSubstr("rolled back 3 times")));
  EXPECT_EQ(run({"sample", "run", "-n", "3"}).exit_code, 0);
}

}  // namespace
}  // namespace rune::test
