#include <sys/resource.h>

#include <cstddef>
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

}  // namespace
}  // namespace rune::test
