#include "tools/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace rune::tools {
namespace {

TEST(Published, ARecipesOwnPointsWithoutAFile) {
  train::Published published;
  published.train = {{1, 2.5}, {4, 2.0}};
  published.validation = {{4, 2.1}};
  const Curve curve = published_curve(published, "/nowhere");
  ASSERT_EQ(curve.points.size(), 2U);
  EXPECT_EQ(curve.points[0].epoch, 1);
  EXPECT_EQ(curve.points[0].train_loss, 2.5);
  EXPECT_FALSE(curve.points[0].validation_loss);
  EXPECT_EQ(curve.points[1].validation_loss, 2.1);
}

TEST(Published, AFileOfSeveralSystemsCountsEpochsOverStages) {
  const test::TemporaryFolder folder;
  write_file_atomically(
      folder / "p.csv",
      "system,stage,epoch,train_ema,validation\nN1,1,1,2,3\nN2,1,1,2.5,2.6\nN2,1,2,2.3,2.4\nN2,2,1,2.1,2.2\n");
  train::Published published;
  published.curve = "p.csv";
  published.curve_system = "N2";
  const Curve curve = published_curve(published, folder / "");
  ASSERT_EQ(curve.points.size(), 3U);
  EXPECT_EQ(curve.points[2].epoch, 3);
  EXPECT_EQ(curve.points[2].train_loss, 2.1);
  EXPECT_EQ(curve.points[2].validation_loss, 2.2);
}

TEST(Published, ATableOfSeveralSystemsIsNotReadAsOne) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "p.csv", "system,epoch,validation\nN1,1,3\nN2,1,2\n");
  EXPECT_THROW(read_csv(folder / "p.csv"), InputError);
  EXPECT_EQ(read_csv(folder / "p.csv", "N2").points.size(), 1U);
}

TEST(Published, StepsComeBeforeEpochs) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "p.csv", "epoch,step,train_loss,validation_loss\r\n1,10,3,3.5\r\n");
  train::Published published;
  published.curve = "p.csv";
  const Curve curve = published_curve(published, folder / "");
  ASSERT_EQ(curve.points.size(), 1U);
  EXPECT_EQ(curve.points[0].step, 10);
  EXPECT_FALSE(curve.points[0].epoch);
}

TEST(Published, ErrorsNameFileAndRow) {
  const test::TemporaryFolder folder;
  train::Published published;
  published.curve = "p.csv";
  for (const char* text : {"step,train_loss\n1\n", "step,train_loss\n1,x\n", ""}) {
    write_file_atomically(folder / "p.csv", text);
    try {
      published_curve(published, folder / "");
      ADD_FAILURE() << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("p.csv"));
    }
  }
}

}  // namespace
}  // namespace rune::tools
