#include "tools/runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <fstream>

#include "support/small_run.h"
#include "support/temporary_folder.h"

namespace rune::tools {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

namespace fs = std::filesystem;

class RunsTest : public testing::Test {
 protected:
  void write(const std::string& run, const std::string& file, const std::string& content) const {
    fs::create_directories(folder_ / run);
    std::ofstream(folder_ / run / file, std::ios::binary) << content;
  }
  [[nodiscard]] RunSummary summary(const std::string& run) const {
    const fs::path path = folder_ / run;
    return summarize_runs({&path, 1}).at(0);
  }

  test::TemporaryFolder folder_;
};

TEST(ConfigEntriesTest, AreThoseOfTheFileThatRuneWrites) {
  train::RunConfig config{.texts = {"/a = b", "/c"}, .model = {.layers = 3}, .train = {}};
  config.train.sample.prompt = "say \"a # b\"";
  const std::string toml = to_toml(config);
  const ConfigEntries entries = config_entries(toml);
  EXPECT_EQ(value_of(entries, "model.layers"), "3");
  EXPECT_EQ(value_of(entries, "model.cell"), "lstm");
  EXPECT_EQ(value_of(entries, "train.duration"), "10m");
  EXPECT_EQ(value_of(entries, "sample.prompt"), R"(say \"a # b\")");
  EXPECT_EQ(value_of(entries, "absent"), "");
  EXPECT_EQ(model_text(entries), "lstm 3 x 256");
  const auto lines = std::ranges::count_if(toml, [](char c) { return c == '='; });
  EXPECT_GT(std::ssize(entries), lines / 2);
  for (const auto& [key, value] : entries) EXPECT_EQ(key.find_first_of("\"/ #["), std::string::npos) << key;
}

TEST(ConfigEntriesTest, LeaveOutWhatTheyCannotRead) {
  EXPECT_THAT(config_entries("x\n[a\ny = 1 # z\n[b]\nq = \"open\nlist = [\n1\n]\nr = 2"),
              ElementsAre(Pair("a.y", "1"), Pair("b.q", "open"), Pair("b.r", "2")));
  EXPECT_THAT(config_entries(""), IsEmpty());
}

TEST_F(RunsTest, ATrainingIsLiveThenFinished) {
  {
    auto trainer = train::start(folder_ / "run", train::train_options());
    EXPECT_EQ(summary("run").state, RunState::live);
    trainer.run({});
  }
  const RunSummary run = summary("run");
  EXPECT_EQ(run.state, RunState::finished);
  EXPECT_EQ(run.name, "run");
  EXPECT_EQ(run.reports, 4);
  EXPECT_EQ(run.last->step, train::kSteps);
  double lowest = 1e9;
  for (const CurvePoint& point : read_points(folder_ / "run" / "metrics.jsonl")) {
    lowest = std::min(lowest, *point.validation_loss);
  }
  EXPECT_EQ(run.best->validation_loss, lowest);
}

TEST_F(RunsTest, TheLogSaysHowATrainingEnded) {
  write("stopped", "config.toml", "[model]\n");
  write("stopped", "log.txt", "2026-01-01T00:00:00Z start at step 0\n2026-01-01T00:00:01Z stop at step 3\n");
  EXPECT_EQ(summary("stopped").state, RunState::stopped);
  write("failed", "config.toml", "[model]\n");
  write("failed", "log.txt", "2026-01-01T00:00:01Z error: no space left\n");
  EXPECT_EQ(summary("failed").state, RunState::failed);
  EXPECT_EQ(summary("failed").failure, "no space left");
  write("killed", "config.toml", "");
  write("killed", "log.txt", "2026-01-01T00:00:01Z saved step 4\n");
  EXPECT_EQ(summary("killed").state, RunState::interrupted);
}

TEST_F(RunsTest, TornAndForeignLinesOfMetricsDoNoHarm) {
  write("run", "config.toml", "");
  write("run", "metrics.jsonl",
        "{\"step\":1,\"validation_loss\":2.5}\n{\"step\":2,\"validation_loss\":null}\n{\"step\":3,\"validation_loss\":"
        "2.25}"
        "\n{\"step\":4,\"validation_loss\":3}\n{\"step\":5,\"valid");
  const RunSummary run = summary("run");
  EXPECT_EQ(run.reports, 4);
  EXPECT_EQ(run.last->step, 4);
  EXPECT_EQ(run.best->step, 3);
  write("noise", "config.toml", "");
  write("noise", "metrics.jsonl", "\n\nnoise\n{\"validation_loss\":\n");
  EXPECT_EQ(summary("noise").last, std::nullopt);
}

TEST_F(RunsTest, AFoldersRunsAreThoseWithAConfiguration) {
  write("b", "config.toml", "");
  write("a", "config.toml", "");
  write("other", "notes.txt", "");
  write("trash", "notes.txt", "");
  EXPECT_THAT(runs_in(folder_ / ""), ElementsAre(folder_ / "a", folder_ / "b"));
  EXPECT_THAT(runs_in(folder_ / "absent"), IsEmpty());
}

TEST(DifferencesTest, AreFromWhatMostHave) {
  const auto run = [](const char* layers, const char* lr) {
    return RunSummary{.config = {{"model.layers", layers}, {"optimizer.learning_rate", lr}}};
  };
  const std::vector<RunSummary> runs{run("2", "0.1"), run("2", "0.1"), run("3", "0.1"), run("2", "0.2")};
  EXPECT_THAT(differences(runs), ElementsAre(IsEmpty(), IsEmpty(), ElementsAre(Pair("model.layers", "3")),
                                             ElementsAre(Pair("optimizer.learning_rate", "0.2"))));
}

TEST_F(RunsTest, RenamingAndTrashingMoveTheDirectoryUnlessItIsLive) {
  train::start(folder_ / "run", train::train_options());
  EXPECT_EQ(rename_run(folder_ / "run/", "other"), folder_ / "other");
  {
    const auto live = train::start(folder_ / "live", train::train_options());
    EXPECT_THROW(rename_run(folder_ / "live", "free"), FileError);
    EXPECT_THROW(rename_run(folder_ / "other", "live"), FileError);
    EXPECT_THROW(trash_run(folder_ / "live"), FileError);
  }
  EXPECT_THROW(rename_run(folder_ / "other", "a/b"), InputError);
  EXPECT_EQ(trash_run(folder_ / "other"), folder_ / "trash" / "other");
  EXPECT_FALSE(fs::exists(folder_ / "other"));
  EXPECT_TRUE(fs::exists(folder_ / "trash" / "other" / "last.safetensors"));
}

}  // namespace
}  // namespace rune::tools
