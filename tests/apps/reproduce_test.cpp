#include <gmock/gmock.h>

#include <cstdlib>

#include <fmt/format.h>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Reproduce : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    std::filesystem::create_directory(path("data"));
    std::string text;
    while (text.size() < 3000) text += "It was a bright cold day, and \"the clocks\" were striking. ";
    write("data/holmes.txt", text);
    std::string csv;
    for (int i = 0; i < 200; ++i) csv += "row\n";
    write("data/tweets.csv", csv + "short\n");
  }
};

TEST_F(Reproduce, WritesAReportOfWhatThereIsATextFor) {
  const Result result =
      run({"reproduce", "holmes-2", "anna", "--data", "data", "-o", "report", "--max-epochs", "2", "--threads", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "report/report.html\n");
  EXPECT_THAT(result.err, HasSubstr("anna is left out"));
  const std::string report = read("report/report.md");
  for (const char* expected :
       {"holmes-2-100", "holmes-2-200", "cut short after epoch 2", "; 2e.", "not judged", "anna: left out"}) {
    std::string plain = report;
    std::erase(plain, '\\');
    EXPECT_THAT(plain, HasSubstr(expected));
  }
  EXPECT_THAT(read("report/report.html"), testing::AllOf(HasSubstr("<svg"), HasSubstr("</table>")));
  EXPECT_TRUE(std::filesystem::exists(path("report/holmes-2-100.svg")));
  EXPECT_TRUE(std::filesystem::exists(path("report/runs/holmes-2-200-1/last.safetensors")));
}

TEST_F(Reproduce, JudgesAndSaysSoInItsExitCode) {
  // Another text cannot reach the published losses of holmes-1.
  const Result result =
      run({"reproduce", "holmes-1", "--data", "data", "-o", "report", "--max-epochs", "1", "--seeds", "1"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("MISSED: training loss after epoch 1 within 5 % of 2.469"));
  EXPECT_THAT(read("report/report.md"), HasSubstr("missed"));
}

TEST_F(Reproduce, BetterThanPublishedIsReached) {
  std::string text;
  while (text.size() < 3000) text += "abc";  // 3 characters: no loss of ln 3 or less is published
  write("data/nietzsche.txt", text);
  const Result result =
      run({"reproduce", "nietzsche-5", "--data", "data", "-o", "report", "--seeds", "1", "--threads", "1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("reached: validation loss at 2 published milestones at most 0.03 above them: -"));
}

TEST_F(Reproduce, OneRecordIsRecitedByThreeSeeds) {
  const Result result = run({"reproduce", "tweet-one", "--data", "data", "-o", "report", "--threads", "1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("reached: seed 3: 10 samples recite the record and stop: 10 of 10"));
}

TEST_F(Reproduce, GoesOnWhereItWasInterrupted) {
  const Arguments arguments{"reproduce", "holmes-3",     "--data", "data",      "-o",
                            "report",    "--max-epochs", "20",     "--threads", "1"};
  const pid_t child = start(arguments);
  await_metrics("report/runs/holmes-3-100-1", 2);
  kill(child, SIGINT);
  const Result stopped = wait(child);
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("goes on"));
  const Result again = run(arguments);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  for (const std::string name : {"report/runs/holmes-3-100-1", "report/runs/holmes-3-200-1"}) {
    EXPECT_EQ(metrics(name).size(), 20U) << name;
  }
  const auto weights = read("report/runs/holmes-3-100-1/last.safetensors");
  EXPECT_EQ(run(arguments).exit_code, 0) << "finished runs are left as they are";
  EXPECT_TRUE(read("report/runs/holmes-3-100-1/last.safetensors") == weights);
}

TEST_F(Reproduce, ReportsTheTrainingsThatAreThere) {
  Arguments arguments{"reproduce", "holmes-2-100", "--data", "data",    "-o", "report", "--max-epochs",
                      "1",         "--threads",    "1",      "--seeds", "2"};
  ASSERT_EQ(run(arguments).exit_code, 0);
  arguments.resize(arguments.size() - 2);
  ASSERT_EQ(run(arguments).exit_code, 0);
  const std::string report = read("report/report.md");
  EXPECT_THAT(report, HasSubstr("train, seed 2"));
  const auto loss = [&](const std::string& name) { return metrics(name)[0]["train_loss"].get<double>(); };
  const double median = (loss("report/runs/holmes-2-100-1") + loss("report/runs/holmes-2-100-2")) / 2;
  EXPECT_THAT(report, HasSubstr(fmt::format("| not judged, cut short | train, epoch 1 | 3.5100 | {:.4f} |", median)));
}

TEST_F(Reproduce, PutsPyTorchBesideIt) {
  if (std::system("/usr/bin/python3 -c 'import torch' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-torch is missing: scripts/install-deps --test installs it";
  const Result result = run({"reproduce", "holmes-2-200", "--data", "data", "-o", "report", "--max-epochs", "1",
                             "--torch-script", RUNE_PYTORCH_SYSTEMS});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto torch = nlohmann::json::parse(read("report/torch/holmes-2-200.json"));
  EXPECT_EQ(torch["points"].size(), 1U);
  EXPECT_EQ(torch["points"][0]["characters"], metrics("report/runs/holmes-2-200-1")[0]["characters"]);
  EXPECT_THAT(read("report/report.md"), HasSubstr("train, PyTorch"));
}

TEST_F(Reproduce, RefusesWhatItDoesNotKnow) {
  const Result unknown = run({"reproduce", "holmes-9", "--data", "data", "-o", "report"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'holmes-"));
  EXPECT_EQ(run({"reproduce", "-o", "report"}).exit_code, 2);
  EXPECT_EQ(run({"reproduce", "--data", "data"}).exit_code, 2);
}

}  // namespace
}  // namespace rune::test
