#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "apps/program.h"

namespace rune::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // which takes terabytes of addresses for itself
#else
constexpr bool kSanitized = false;
#endif

class LimitedMemory : public ProgramTest {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "memory cannot be limited under a sanitizer; the release build runs this test";
    ProgramTest::SetUp();
  }

  /// Runs the program in so much memory.
  [[nodiscard]] Result run_in(std::size_t bytes, const Arguments& arguments) const {
    rlimit all{};
    EXPECT_EQ(getrlimit(RLIMIT_AS, &all), 0);
    const rlimit limited{bytes, all.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limited), 0);
    const pid_t child = start(arguments);
    EXPECT_EQ(setrlimit(RLIMIT_AS, &all), 0);
    return wait(child);
  }

  /// The least memory in which the program begins at all, to a page: below it the dynamic linker gives up.
  [[nodiscard]] std::size_t least_memory() const {
    std::size_t too_little = 1 << 20;
    std::size_t enough = std::size_t{1} << 30;
    while (enough - too_little > 4096) {
      const std::size_t middle = (too_little + enough) / 2;
      (run_in(middle, {"--version"}).exit_code == 0 ? enough : too_little) = middle;
    }
    return enough;
  }
};

// From too little to enough, in steps: wherever memory ends, the program says so and loses nothing.
TEST_F(LimitedMemory, IsAnErrorUntilItIsEnough) {
  write("text", sentences(3000));
  ASSERT_EQ(run(training("text", "whole", {"--steps", "4", "--threads", "2"})).exit_code, 0);
  int failures = 0;
  for (std::size_t memory = least_memory();; memory += 96 << 10) {
    std::filesystem::remove_all(path("run"));
    const Result result = run_in(memory, training("text", "run", {"--steps", "4", "--threads", "2"}));
    if (result.exit_code == 0) break;
    ++failures;
    ASSERT_EQ(result.exit_code, 1) << memory << ": " << result.err;
    ASSERT_NE(result.err.find("rune: "), std::string::npos) << memory;
    if (std::filesystem::exists(path("run/last.safetensors"))) {
      ASSERT_EQ(run({"resume", "run"}).exit_code, 0) << memory;
      ASSERT_TRUE(same_checkpoint("whole/last.safetensors", "run/last.safetensors")) << memory;
    }
  }
  EXPECT_GT(failures, 10);
  EXPECT_TRUE(same_checkpoint("whole/last.safetensors", "run/last.safetensors"));
}

/// Lets memory end at one allocation after the other: failing_malloc.cpp.
class EndingMemory : public LimitedMemory {
 protected:
  /// Runs a command whose n-th allocation fails (0: none) and all later ones for which there is no room.
  [[nodiscard]] Result run_until(std::int64_t n, const Arguments& arguments) const {
    setenv("LD_PRELOAD", RUNE_FAILING_MALLOC, 1);
    setenv("RUNE_MEMORY_ENDS_AT", std::to_string(n).c_str(), 1);
    setenv("RUNE_ALLOCATIONS_FILE", path("allocations").c_str(), 1);
    const pid_t child = start(arguments);
    for (const char* name : {"LD_PRELOAD", "RUNE_MEMORY_ENDS_AT", "RUNE_ALLOCATIONS_FILE"}) unsetenv(name);
    return wait(child);
  }
  [[nodiscard]] std::int64_t allocations(const Arguments& arguments) const {
    const Result result = run_until(0, arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return std::stoll(read("allocations"));
  }

  /// Lets the command's memory end at some of its allocations (at all with RUNE_EVERY_ALLOCATION): each time it
  /// succeeds with what it has, or says what is wrong. `check` follows each run.
  template <class Check>
  void end_everywhere(const Arguments& arguments, const Check& check) {
    const std::int64_t last = allocations(arguments);
    const std::int64_t first = allocations({"--version"});  // before there is a program that could say anything
    constexpr std::int64_t kRuns = 50;
    const std::int64_t step =
        std::getenv("RUNE_EVERY_ALLOCATION") != nullptr ? 1 : std::max((last - first) / kRuns, std::int64_t{1});
    for (std::int64_t n = first + 1; n <= last; n += step) {
      SCOPED_TRACE("rune " + arguments[0] + ", allocation " + std::to_string(n) + " of " + std::to_string(last));
      const Result result = run_until(n, arguments);
      if (result.exit_code != 0) {
        ++errors_;
        ASSERT_EQ(result.exit_code, 1) << result.err;
        ASSERT_TRUE(result.err.starts_with("rune: ") || result.err.find("\nrune: ") != std::string::npos) << result.err;
      }
      check();
      if (HasFatalFailure()) return;
    }
  }

  int errors_ = 0;
};

TEST_F(EndingMemory, LosesNothingOfATraining) {
  write("text", sentences(3000));
  ASSERT_EQ(run(training("text", "whole", {"--steps", "4", "--threads", "2"})).exit_code, 0);
  std::filesystem::remove_all(path("run"));
  end_everywhere(training("text", "run", {"--steps", "4", "--threads", "2"}), [&] {
    if (std::filesystem::exists(path("run/last.safetensors"))) {
      ASSERT_EQ(run({"resume", "run"}).exit_code, 0);
      ASSERT_TRUE(same_checkpoint("whole/last.safetensors", "run/last.safetensors"));
    }
    std::filesystem::remove_all(path("run"));
  });
  EXPECT_GT(errors_, 10);
}

TEST_F(EndingMemory, IsAnErrorOfEveryReader) {
  write("text", sentences(3000));
  ASSERT_EQ(run(training("text", "run", {"--steps", "4"})).exit_code, 0);
  ASSERT_EQ(run({"export", "run", "-o", "small.safetensors"}).exit_code, 0);
  const auto unchanged = [&] { ASSERT_EQ(run({"inspect", "run"}).exit_code, 0); };
  for (const Arguments& command :
       {Arguments{"sample", "run", "-n", "20"}, Arguments{"eval", "run", "text"}, Arguments{"inspect", "text"},
        Arguments{"import", "small.safetensors", "-o", "imported.safetensors"},
        Arguments{"export", "run", "-o", "model.onnx"}, Arguments{"resume", "run", "--steps", "6"}}) {
    end_everywhere(command, unchanged);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(errors_, 10);
}

}  // namespace
}  // namespace rune::test
