#include "train/metrics.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace rune::train {
namespace {

Report report_at(std::int64_t step) {
  Report report;
  report.step = step;
  report.train_loss = 1.0 / 3;
  return report;
}

std::string lines(std::initializer_list<std::int64_t> steps) {
  std::string text;
  for (const std::int64_t step : steps) text += metrics_line(report_at(step));
  return text;
}

TEST(Metrics, ALineHoldsEveryFieldOfAReport) {
  Report report = report_at(20);
  report.epoch = 0.5;
  report.characters = 256'000;
  report.validation = generate::Evaluation{.protocol = {Protocol::Kind::rows, 128}, .loss = 2.5, .characters = 192'000};
  report.learning_rate = 1e-3;
  report.gradient_norm = 0.7;
  report.characters_per_second = 20'000;
  report.seconds = 12.5;
  EXPECT_EQ(
      metrics_line(report),
      "{\"step\":20,\"epoch\":0.5,\"characters\":256000,\"train_loss\":0.3333333333333333,\"validation_loss\":2.5,"
      "\"protocol\":\"rows:128\",\"learning_rate\":0.001,\"gradient_norm\":0.7,\"characters_per_second\":20000.0,"
      "\"seconds\":12.5}\n");
}

TEST(Metrics, WithoutEvaluationItsFieldsAreNull) {
  EXPECT_THAT(metrics_line(report_at(1)), testing::HasSubstr("\"validation_loss\":null,\"protocol\":null"));
}

RC_GTEST_PROP(Metrics, LossesKeepTheirBits, ()) {
  Report report;
  report.train_loss =
      std::ldexp(static_cast<double>(*rc::gen::arbitrary<std::int64_t>()), *rc::gen::inRange(-1000, 900));
  RC_ASSERT(nlohmann::json::parse(metrics_line(report))["train_loss"].get<double>() == report.train_loss);
}

TEST(Metrics, LinesAfterAStepAndATornOneAreDropped) {
  const test::TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  append_to_file(file, lines({10, 20}));
  append_to_file(file, lines({30}));
  drop_metrics_after(file, 30);
  EXPECT_EQ(read_file(file), lines({10, 20, 30}));
  append_to_file(file, "{\"step\":40,\"ep");
  drop_metrics_after(file, 40);
  EXPECT_EQ(read_file(file), lines({10, 20, 30}));
  drop_metrics_after(file, 29);
  EXPECT_EQ(read_file(file), lines({10, 20}));
  drop_metrics_after(file, 0);
  EXPECT_EQ(read_file(file), "");
  drop_metrics_after(folder / "missing", 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "missing"));
}

TEST(Metrics, AFileWithNothingToDropIsNotWritten) {
  const test::TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  append_to_file(file, lines({10}));
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::filesystem::last_write_time(file, long_ago);
  drop_metrics_after(file, 10);
  EXPECT_EQ(std::filesystem::last_write_time(file), long_ago);
}

TEST(Metrics, AnotherLineIsNamed) {
  const test::TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  for (const char* line : {"hello\n", "{}\n", "[1]\n", "{\"step\":\"1\"}\n", "\n"}) {
    write_file_atomically(file, lines({10}) + line + lines({20}));
    try {
      drop_metrics_after(file, 20);
      ADD_FAILURE() << "accepted " << line;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("metrics.jsonl:2"));
    }
  }
}

TEST(Metrics, SamplesAndLogLinesSayWhatAndWhen) {
  Report report = report_at(7);
  report.sample = "to be";
  EXPECT_EQ(sample_paragraph(report), "--- step 7, train loss 0.3333\nto be\n\n");
  report.validation = generate::Evaluation{.protocol = {}, .loss = 2, .characters = 1};
  EXPECT_EQ(sample_paragraph(report), "--- step 7, train loss 0.3333, validation loss 2.0000\nto be\n\n");
  EXPECT_THAT(log_line("start"), testing::MatchesRegex("....-..-..T..:..:..Z start\n"));
}

}  // namespace
}  // namespace rune::train
