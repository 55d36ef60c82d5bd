#include <gmock/gmock.h>

#include "apps/program.h"
#include "support/archives.h"

namespace rune::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Resume : public ProgramTest {
 protected:
  static constexpr const char* kSteps = "1500";

  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(3000));
  }

  [[nodiscard]] static Arguments long_training(const std::string& run) {
    return training("book.txt", run,
                    {"--steps", kSteps, "--eval-every", "50", "--dropout", "0.2", "--output-dropout", "0.2",
                     "--locked-dropout", "--weight-drop", "0.2", "--schedule", "cosine", "--sample-length", "20"});
  }

  void expect_same_run(const std::string& one, const std::string& other) const {
    EXPECT_TRUE(same_checkpoint(one + "/best.safetensors", other + "/best.safetensors"));
    EXPECT_TRUE(same_checkpoint(one + "/last.safetensors", other + "/last.safetensors"));
    EXPECT_EQ(metrics(one), metrics(other));
    EXPECT_EQ(read(one + "/samples.txt"), read(other + "/samples.txt"));
  }
};

TEST_F(Resume, AStoppedTrainingEndsAsAnUninterruptedOne) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const std::string name = "stopped" + std::to_string(signal);
    const pid_t child = start(long_training(name));
    await_metrics(name, 2);
    ASSERT_EQ(kill(child, signal), 0);
    const Result stopped = wait(child);
    EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
    ASSERT_THAT(stopped.err, HasSubstr("rune resume " + name));
    const Result resumed = run({"resume", name, "--threads", "1"});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    if (signal == SIGTERM) {
      ASSERT_EQ(run(long_training("whole")).exit_code, 0);
    }
    expect_same_run(name, "whole");
  }
}

TEST_F(Resume, AKilledTrainingEndsAsAnUninterruptedOne) {
  Arguments arguments = long_training("killed");
  arguments.insert(arguments.end(), {"--save-every", "60"});
  const pid_t child = start(arguments);
  await_metrics("killed", 4);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  EXPECT_EQ(wait(child).exit_code, 128 + SIGKILL);
  ASSERT_EQ(run({"resume", "killed"}).exit_code, 0);
  ASSERT_EQ(run(long_training("whole")).exit_code, 0);
  expect_same_run("killed", "whole");
}

TEST_F(Resume, AFinishedRunStaysAsItIs) {
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "10"})).exit_code, 0);
  const std::string weights = read("run/last.safetensors");
  const std::string metrics_before = read("run/metrics.jsonl");
  const Result result = run({"resume", "run"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("finished"));
  EXPECT_TRUE(read("run/last.safetensors") == weights);
  EXPECT_EQ(read("run/metrics.jsonl"), metrics_before);
}

TEST_F(Resume, StepsMakeAFinishedRunLonger) {
  ASSERT_EQ(run(training("book.txt", "short", {"--steps", "10", "--eval-every", "10"})).exit_code, 0);
  ASSERT_EQ(run({"resume", "short", "--steps", "20"}).exit_code, 0);
  ASSERT_EQ(run(training("book.txt", "long", {"--steps", "20", "--eval-every", "10"})).exit_code, 0);
  expect_same_run("short", "long");
}

TEST_F(Resume, AChangedTextIsRefused) {
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "2"})).exit_code, 0);
  write("book.txt", sentences(3000, 2));
  const Result result = run({"resume", "run", "--steps", "4"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("--accept-new-corpus"));
  EXPECT_EQ(run({"resume", "run", "--steps", "4", "--accept-new-corpus"}).exit_code, 0);
  EXPECT_EQ(run({"resume", "run", "--steps", "6"}).exit_code, 0) << "accepted once and for all";
  EXPECT_EQ(metrics("run").back()["step"], 6);
}

TEST_F(Resume, AChangeInAnyOfManyInputsIsRefused) {
  std::filesystem::create_directory(path("poems"));
  write("poems/a.txt", sentences(500));
  write("poems/b.txt", sentences(500, 2));
  write("more.zip", zip({{"c.txt", sentences(500, 3)}}, "deflate"));
  write("other.txt", sentences(200, 4));
  const auto resumes = [&](const char* steps, const Arguments& more = {}) {
    Arguments arguments{"resume", "run", "--steps", steps};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments).exit_code == 0;
  };
  ASSERT_EQ(run(training("poems", "run", {"more.zip", "--validation", "other.txt", "--steps", "2"})).exit_code, 0);
  EXPECT_TRUE(resumes("3"));
  write("poems/b.txt", sentences(500, 2) + "x");
  EXPECT_FALSE(resumes("4"));
  write("poems/b.txt", sentences(500, 2));
  write("other.txt", sentences(200, 5));
  EXPECT_FALSE(resumes("4"));
  std::filesystem::remove(path("other.txt"));
  EXPECT_THAT(run({"resume", "run"}).err, AllOf(HasSubstr("other.txt"), HasSubstr("--validation")));
  write("there.txt", sentences(200, 4));
  write("c.txt", sentences(500, 3));
  EXPECT_TRUE(resumes("4", {"--text", "poems", "--text", "c.txt", "--validation", "there.txt"})) << "unpacked, moved";
  EXPECT_TRUE(resumes("5", {"--cache", "never"}));
}

TEST_F(Resume, ATextThatMovedIsNamed) {
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "2"})).exit_code, 0);
  std::filesystem::rename(path("book.txt"), path("novel.txt"));
  const Result lost = run({"resume", "run", "--steps", "4"});
  EXPECT_EQ(lost.exit_code, 1);
  EXPECT_THAT(lost.err, AllOf(HasSubstr("book.txt"), HasSubstr("--text")));
  EXPECT_EQ(run({"resume", "run", "--steps", "4", "--text", "novel.txt"}).exit_code, 0);
  EXPECT_EQ(run({"resume", "run", "--steps", "6"}).exit_code, 0);
  write("other.txt", sentences(3000, 2));
  EXPECT_EQ(run({"resume", "run", "--steps", "8", "--text", "other.txt"}).exit_code, 1);
  EXPECT_EQ(run({"resume", "run", "--steps", "8"}).exit_code, 0) << "a refused text is not remembered";
}

TEST_F(Resume, ARunOfStandardInputHasItsTextWithIt) {
  ASSERT_EQ(run(training("-", "piped", {"--steps", "4"}), path("book.txt")).exit_code, 0);
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "4"})).exit_code, 0);
  EXPECT_TRUE(same_checkpoint("piped/last.safetensors", "run/last.safetensors"));
  EXPECT_EQ(read("piped/corpus.txt"), read("book.txt"));
  std::filesystem::rename(path("piped"), path("moved"));
  EXPECT_EQ(run({"resume", "moved", "--steps", "6"}).exit_code, 0);
  EXPECT_EQ(run({"train", "-", "book.txt"}).exit_code, 2);
}

TEST_F(Resume, ADamagedCheckpointIsReplacedByTheOneBeforeIt) {
  ASSERT_EQ(run(training("book.txt", "whole", {"--steps", "40"})).exit_code, 0);
  ASSERT_EQ(run(training("book.txt", "run", {"--steps", "40", "--save-every", "10"})).exit_code, 0);
  std::string bytes = read("run/last.safetensors");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write("run/last.safetensors", bytes);
  const Result result = run({"resume", "run"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr("last.safetensors' is damaged"), HasSubstr("Going on from"),
                                HasSubstr("run/step-30.safetensors")));
  expect_same_run("run", "whole");
  const Result refused = run({"sample", "run/damaged.safetensors"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("damaged"));
}

TEST_F(Resume, ARunHasOneTrainerAtATime) {
  const pid_t child = start(long_training("run"));
  await_metrics("run", 1);
  const Result second = wait(start({"resume", "run"}, "/dev/null", "out2"));
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("in use by process " + std::to_string(child)));
  ASSERT_EQ(kill(child, SIGTERM), 0);
  EXPECT_EQ(wait(child).exit_code, 0);
}

TEST_F(Resume, SigUsr1SavesAndGoesOn) {
  const pid_t child = start(long_training("run"));
  await_metrics("run", 1);
  ASSERT_EQ(kill(child, SIGUSR1), 0);
  EXPECT_EQ(wait(child).exit_code, 0);
  const std::string log = read("run/log.txt");
  std::size_t saves = 0;
  for (std::size_t at = 0; (at = log.find(" saved step", at)) != std::string::npos; ++at) ++saves;
  EXPECT_EQ(saves, 3U) << "at the start, when asked to, and at the end\n" << log;
  ASSERT_EQ(run(long_training("whole")).exit_code, 0);
  expect_same_run("run", "whole");
}

TEST_F(Resume, ASecondSignalStopsAtOnce) {
  const pid_t child = start(long_training("run"));
  await_metrics("run", 1);
  // Both are there before the program runs again.
  for (const int signal : {SIGSTOP, SIGINT, SIGTERM, SIGCONT}) ASSERT_EQ(kill(child, signal), 0);
  EXPECT_THAT(wait(child).exit_code, testing::AnyOf(128 + SIGINT, 128 + SIGTERM));
}

}  // namespace
}  // namespace rune::test
