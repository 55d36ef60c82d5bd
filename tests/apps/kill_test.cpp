#include <gmock/gmock.h>

#include <cstdlib>

#include "apps/program.h"

namespace rune::test {
namespace {

// scripts/soak does the same for longer: RUNE_KILLS=200.
int kills_wanted() {
  const char* const text = std::getenv("RUNE_KILLS");
  return text == nullptr ? 20 : std::atoi(text);
}

class KillSlow : public ProgramTest {};

TEST_F(KillSlow, AtAnyMomentThereIsAWholeCheckpointAndTheSameEnd) {
  write("book.txt", sentences(1500));
  const auto arguments = [](const std::string& run) {
    return training("book.txt", run,
                    {"--steps", "400", "--eval-every", "40", "--save-every", "10", "--sample-length", "20", "--dropout",
                     "0.2", "--schedule", "cosine", "--threads", "1"});
  };
  ASSERT_EQ(run(arguments("whole")).exit_code, 0);

  const int wanted = kills_wanted();
  const RandomStream random(11, RandomPurpose::shuffle);
  int kills = 0;
  int whole = 0;  // checkpoints found after a kill
  for (int round = 0; kills < wanted; ++round) {
    const std::string name = "run" + std::to_string(round);
    for (bool finished = false; !finished;) {
      const bool begun = std::filesystem::exists(path(name + "/config.toml"));
      const pid_t child = start(begun ? Arguments{"resume", name} : arguments(name));
      if (kills < wanted) {
        std::this_thread::sleep_for(std::chrono::microseconds(random.bits(static_cast<std::uint64_t>(kills)) % 60'000));
        ASSERT_EQ(kill(child, SIGKILL), 0);
        ++kills;
      }
      const Result result = wait(child);
      if (result.exit_code != 0 && result.exit_code != 128 + SIGKILL) {
        // Killed between the directory and its configuration: nothing has been trained yet.
        ASSERT_FALSE(begun) << result.err;
        std::filesystem::remove_all(path(name));
        continue;
      }
      finished = result.exit_code == 0;
      const std::string last = name + "/last.safetensors";
      if (!std::filesystem::exists(path(last))) continue;
      ASSERT_NO_THROW((void)format::SafetensorsFile::read(path(last)));
      ++whole;
    }
    EXPECT_TRUE(same_checkpoint(name + "/last.safetensors", "whole/last.safetensors"));
    EXPECT_TRUE(same_checkpoint(name + "/best.safetensors", "whole/best.safetensors"));
    EXPECT_EQ(metrics(name), metrics("whole"));
    EXPECT_EQ(read(name + "/samples.txt"), read("whole/samples.txt"));
    for (const auto& entry : std::filesystem::directory_iterator(path(name))) {
      EXPECT_FALSE(entry.path().filename().string().ends_with(".tmp")) << entry.path();
    }
  }
  RecordProperty("kills", kills);
  std::printf("%d kills, %d whole checkpoints after them\n", kills, whole);
}

TEST_F(KillSlow, TheCacheOfATextIsWholeOrNotUsed) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += sentences(4000, static_cast<std::uint64_t>(i));
  write("book.txt", text);
  const auto arguments = [](const std::string& run, const char* cache) {
    return training("book.txt", run, {"--steps", "2", "--cache", cache, "--threads", "1", "--quiet"});
  };
  ASSERT_EQ(run(arguments("whole", "never")).exit_code, 0);

  const RandomStream random(12, RandomPurpose::shuffle);
  int kills = 0;
  for (const int wanted = kills_wanted(); kills < wanted; ++kills) {
    std::filesystem::remove_all(path("run"));
    if (kills % 4 == 0) std::filesystem::remove_all(path("rune"));
    const pid_t child = start(arguments("run", "always"));
    std::this_thread::sleep_for(std::chrono::microseconds(random.bits(static_cast<std::uint64_t>(kills)) % 60'000));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    (void)wait(child);
  }
  std::filesystem::remove_all(path("run"));
  const Result last = run(arguments("run", "always"));
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_TRUE(same_checkpoint("run/last.safetensors", "whole/last.safetensors"));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path("rune"))) {
    EXPECT_NE(entry.path().extension(), ".part");
    EXPECT_NE(entry.path().extension(), ".tmp");
    ++files;
  }
  EXPECT_EQ(files, 2U) << "the tokens and their description";
}

}  // namespace
}  // namespace rune::test
