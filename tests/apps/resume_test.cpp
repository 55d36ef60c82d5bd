#include <gmock/gmock.h>

#include "apps/program.h"

namespace rune::test {
namespace {

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
                     "--schedule", "cosine", "--sample-length", "20"});
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
  EXPECT_THAT(result.err, HasSubstr("text"));
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
