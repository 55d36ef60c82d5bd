#include "tools/curves.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include "base/file.h"
#include "support/temporary_folder.h"
#include "train/metrics.h"

namespace rune::tools {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Curves : public testing::Test {
 protected:
  // A run directory with this metrics.jsonl.
  [[nodiscard]] fs::path run(const std::string& metrics, const std::string& name = "run") const {
    fs::create_directories(folder_ / name);
    write_file_atomically(folder_ / name / "metrics.jsonl", metrics);
    return folder_ / name;
  }
  [[nodiscard]] fs::path csv(const std::string& content, const std::string& name = "table.csv") const {
    write_file_atomically(folder_ / name, content);
    return folder_ / name;
  }
  template <class Read>
  static std::string error_of(const Read& read) {
    try {
      read();
    } catch (const InputError& error) {
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }

  test::TemporaryFolder folder_;
};

TEST_F(Curves, ARunIsReadAsTrainingWritesIt) {
  train::Report report;
  report.step = 20;
  report.epoch = 0.5;
  report.characters = 256'000;
  report.train_loss = 1.0 / 3;
  report.learning_rate = 1e-3;
  report.seconds = 12.5;
  std::string metrics = train::metrics_line(report);
  report.validation = generate::Evaluation{.protocol = {Protocol::Kind::rows, 128}, .loss = 2.5, .characters = 192'000};
  metrics += train::metrics_line(report);

  const Curve curve = read_run(run(metrics));
  ASSERT_EQ(curve.points.size(), 2);
  const CurvePoint& point = curve.points[1];
  EXPECT_EQ(point.step, 20);
  EXPECT_EQ(point.epoch, 0.5);
  EXPECT_EQ(point.characters, 256'000);
  EXPECT_EQ(point.train_loss, 1.0 / 3);
  EXPECT_EQ(point.validation_loss, 2.5);
  EXPECT_EQ(point.learning_rate, 1e-3);
  EXPECT_EQ(point.seconds, 12.5);
  EXPECT_EQ(curve.points[0].validation_loss, std::nullopt);
  for (const Axis axis : {Axis::steps, Axis::epochs, Axis::characters, Axis::seconds}) EXPECT_TRUE(point.at(axis));
}

TEST_F(Curves, ATornLastLineIsLeftOutAndAWholeOneKept) {
  const std::string line = R"({"step":1,"train_loss":3})";
  EXPECT_EQ(read_run(run(line + "\n" + line + "\n{\"step\":3,\"tra")).points.size(), 2);
  EXPECT_EQ(read_run(run(line + "\n" + line)).points.size(), 2);
}

TEST_F(Curves, AMetricsLineThatIsNoneIsNamed) {
  const std::string line = "{\"step\":1,\"train_loss\":3}\n";
  for (const std::string& other :
       {std::string("hello\n"), std::string("{}\n"), std::string("[1]\n"), std::string("\n"), std::string("\0\n", 2),
        std::string("{\"step\":2,\"train_loss\":NaN}\n"), std::string("{\"step\":2,\"train_loss\":1e999}\n"),
        std::string("{\"step\":\"2\"}\n"), std::string("{\"step\":2,\"train_loss\":[3]}\n"),
        std::string(200'000, '[') + "\n"}) {
    EXPECT_THAT(error_of([&] { (void)read_run(run(line + other + line)); }),
                AllOf(HasSubstr("metrics.jsonl:2: expected"), HasSubstr("remove the line")));
  }
}

TEST_F(Curves, OnlyLinesBehindAStepAreRead) {
  const fs::path metrics =
      run("{\"step\":1,\"train_loss\":\n{\"step\": 2}\n{\"step\":3}\n{\"step\":4}\n") / "metrics.jsonl";
  const auto points = read_points(metrics, 2);
  ASSERT_EQ(points.size(), 2);
  EXPECT_EQ(points[0].step, 3);
  EXPECT_EQ(points[1].step, 4);
  EXPECT_TRUE(read_points(metrics, 4).empty());
  EXPECT_THAT(error_of([&] { (void)read_points(metrics, 0); }), HasSubstr("metrics.jsonl:1"));
}

TEST_F(Curves, ARunWithoutLossesSaysSo) {
  EXPECT_THAT(error_of([&] { (void)read_run(run("")); }), AllOf(HasSubstr("metrics.jsonl"), HasSubstr("first")));
  EXPECT_THAT(error_of([&] { (void)read_run(run("{\"step\":1,\"train_loss\":null}\n")); }),
              HasSubstr("found only lines without"));
}

TEST_F(Curves, WhatIsNoRunDirectoryIsNamed) {
  const fs::path file = csv("step,train_loss\n");
  fs::create_directory(folder_ / "folder");
  EXPECT_THAT(error_of([&] { (void)read_run(folder_ / "absent"); }), HasSubstr("absent"));
  EXPECT_THAT(error_of([&] { (void)read_run(file); }), AllOf(HasSubstr("table.csv"), HasSubstr("a file")));
  EXPECT_THAT(error_of([&] { (void)read_run(folder_ / "folder"); }), HasSubstr("no metrics.jsonl"));
}

TEST_F(Curves, ARunIsLabelledWithTheNameOfItsDirectory) {
  const fs::path path = run("{\"step\":1,\"train_loss\":3}\n", "book");
  EXPECT_EQ(read_run(path).label, "book");
  EXPECT_EQ(read_run(path / "").label, "book");
  EXPECT_EQ(read_run(path / ".").label, "book");
}

TEST_F(Curves, EqualNamesBecomePaths) {
  const std::string line = "{\"step\":1,\"train_loss\":3}\n";
  const std::vector<fs::path> runs{run(line, "a/book"), run(line, "b/book"), run(line, "c/play")};
  const std::vector<fs::path> tables{csv("step,train_loss\n1,2\n", "book.csv")};
  const auto curves = read_curves(runs, tables);
  ASSERT_EQ(curves.size(), 4);
  EXPECT_EQ(curves[0].label, runs[0].string());
  EXPECT_EQ(curves[1].label, runs[1].string());
  EXPECT_EQ(curves[2].label, "play");
  EXPECT_EQ(curves[3].label, tables[0].string());
}

TEST_F(Curves, ATableMayHaveAnyColumnsInAnyOrder) {
  const Curve curve =
      read_csv(csv("\xEF\xBB\xBFname, validation_loss ,\"epoch\",note\r\n"
                   "a,2.5,1,\"x, \"\"y\"\"\"\r\n"
                   "\r\n"
                   "b,,2,\r\n"
                   "c,NaN,3,\r\n"
                   "d,1e-1,4,",
                   "published.csv"));
  EXPECT_EQ(curve.label, "published");
  ASSERT_EQ(curve.points.size(), 4);
  EXPECT_EQ(curve.points[0].validation_loss, 2.5);
  EXPECT_EQ(curve.points[0].epoch, 1);
  EXPECT_EQ(curve.points[0].step, std::nullopt);
  EXPECT_EQ(curve.points[1].validation_loss, std::nullopt);
  EXPECT_EQ(curve.points[2].validation_loss, std::nullopt);
  EXPECT_EQ(curve.points[3].validation_loss, 0.1);
}

TEST_F(Curves, ATornLastRowIsLeftOut) { EXPECT_EQ(read_csv(csv("step,epoch,train_loss\n1,1,3\n2,")).points.size(), 1); }

TEST_F(Curves, ATableThatIsNoneIsNamed) {
  const auto error = [&](const std::string& content) { return error_of([&] { (void)read_csv(csv(content)); }); };
  EXPECT_THAT(error(""), HasSubstr("table.csv"));
  EXPECT_THAT(error("step,loss\n1,2\n"), AllOf(HasSubstr("table.csv:1:"), HasSubstr("'step,loss'")));
  EXPECT_THAT(error("time,train_loss\n1,2\n"), HasSubstr("table.csv:1:"));
  EXPECT_THAT(error("step,step,train_loss\n1,1,2\n"), HasSubstr("one column step"));
  EXPECT_THAT(error("step,train_loss\n1,2\n1\n"), AllOf(HasSubstr("table.csv:3:"), HasSubstr("2 fields")));
  EXPECT_THAT(error("step,train_loss\n1,2,3\n"), HasSubstr("table.csv:2:"));
  EXPECT_THAT(error("step,train_loss\n1,two\n"), AllOf(HasSubstr("table.csv:2:"), HasSubstr("'two'")));
  EXPECT_THAT(error("step,train_loss\n1,inf\n"), HasSubstr("table.csv:2:"));
  EXPECT_THAT(error("step,train_loss\n1,\n"), HasSubstr("table.csv"));
  EXPECT_THROW((void)read_csv(folder_ / "absent.csv"), FileError);
}

RC_GTEST_FIXTURE_PROP(Curves, AnyBytesAreReadOrRefused, ()) {
  const auto piece =
      rc::gen::element<std::string>("{\"step\":", "1", "}", ",", "\"train_loss\":", "\n", "\"", "-", "e9", "null",
                                    "step,train_loss\n", "\xFF", std::string(1, '\0'), "nan");
  std::string content;
  for (const std::string& text : *rc::gen::container<std::vector<std::string>>(piece)) content += text;
  const auto try_both = [](const auto& read) {
    try {
      RC_ASSERT(!read().points.empty());
    } catch (const InputError&) {}
  };
  try_both([&] { return read_run(run(content)); });
  try_both([&] { return read_csv(csv(content)); });
}

}  // namespace
}  // namespace rune::tools
