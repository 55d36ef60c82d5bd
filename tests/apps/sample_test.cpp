#include <gmock/gmock.h>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Sample : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(1500));
    ASSERT_EQ(run(training("book.txt", "run", {"--steps", "60", "--eval-every", "30"})).exit_code, 0);
  }

  [[nodiscard]] std::string sample(const Arguments& more) const {
    Arguments arguments{"sample", "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  }
};

TEST_F(Sample, EchoesThePromptAndCountsNewCharacters) {
  const std::string text = sample({"-p", "naïve ü", "-n", "200"});
  EXPECT_THAT(text, StartsWith("naïve ü"));
  EXPECT_EQ(count_characters(text), 207U);
  EXPECT_NE(text.size(), count_characters(text));
  EXPECT_EQ(count_characters(sample({"-n", "37"})), 37U);
  EXPECT_EQ(sample({"-p", "sea", "-n", "0"}), "sea");
}

TEST_F(Sample, ReadsThePromptFromStandardInput) {
  write("prompt", "the\r\nsea");
  EXPECT_EQ(run({"sample", "run", "-p", "-", "-n", "30"}, "prompt").out, sample({"-p", "the\nsea", "-n", "30"}));
}

TEST_F(Sample, WithoutAPromptStartsALine) { EXPECT_EQ("\n" + sample({"-n", "80"}), sample({"-p", "\n", "-n", "80"})); }

TEST_F(Sample, IsAFunctionOfTheSeedAlone) {
  const std::string text = sample({"-n", "120", "--seed", "5"});
  EXPECT_EQ(sample({"-n", "120", "--seed", "5"}), text);
  EXPECT_NE(sample({"-n", "120", "--seed", "6"}), text);
  const std::string three = sample({"-n", "120", "--seed", "5", "--num-samples", "3"});
  EXPECT_THAT(three, StartsWith("--- sample 1 of 3 ---\n" + text + "\n"));
  const std::string second = "--- sample 2 of 3 ---\n";
  const std::size_t begin = three.find(second) + second.size();
  const std::size_t end = three.find("\n\n--- sample 3 of 3 ---\n");
  ASSERT_NE(end, std::string::npos);
  EXPECT_THAT(sample({"-n", "120", "--seed", "5", "--num-samples", "2"}),
              HasSubstr("2 of 2 ---\n" + three.substr(begin, end - begin) + "\n"));
}

TEST_F(Sample, BetaIsTheInverseOfTheTemperature) {
  EXPECT_EQ(sample({"-n", "100", "--beta", "2"}), sample({"-n", "100", "--temperature", "0.5"}));
  EXPECT_EQ(sample({"-n", "100", "--temperature", "0"}), sample({"-n", "100", "--top-k", "1", "--seed", "3"}));
}

TEST_F(Sample, EndsAfterTheStopText) {
  const std::string text = sample({"-n", "5000", "--stop", "sea"});
  EXPECT_THAT(text, testing::EndsWith("sea"));
  EXPECT_EQ(text.find("sea"), text.size() - 3);
}

TEST_F(Sample, UnknownCharactersOfThePromptAreNamedOrSkipped) {
  const Result result = run({"sample", "run", "-p", "the é"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("U+00E9"));
  EXPECT_THAT(result.err, HasSubstr("5"));
  EXPECT_EQ(sample({"-p", "the é", "-n", "20", "--unknown", "skip"}), sample({"-p", "the ", "-n", "20"}));
}

// Every command that reads a model does the same.
TEST_F(Sample, AFileThatRuneDidNotWriteIsForImport) {
  const std::string header = R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  write("foreign.safetensors", static_cast<char>(header.size()) + std::string(7, '\0') + header + "x");
  const std::vector<Arguments> commands{
      {"sample", "foreign.safetensors"},
      {"inspect", "foreign.safetensors"},
      {"next", "foreign.safetensors", "a"},
      {"eval", "foreign.safetensors", "book.txt"},
      {"train", "book.txt", "--from", "foreign.safetensors", "-o", "other"},
  };
  for (const Arguments& command : commands) {
    const Result result = run(command);
    EXPECT_EQ(result.exit_code, 1) << command.front();
    EXPECT_THAT(result.err, HasSubstr("foreign.safetensors' -o MODEL.safetensors")) << command.front();
  }
}

TEST_F(Sample, AReaderThatGoesAwayEndsItSilently) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  const pid_t child = start({"sample", "run", "-n", "100000"}, "/dev/null", "/dev/fd/" + std::to_string(ends[1]));
  close(ends[1]);
  const Result result = wait(child);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.exit_code, 128 + SIGPIPE);
}

}  // namespace
}  // namespace rune::test
