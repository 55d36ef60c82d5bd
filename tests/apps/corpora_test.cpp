#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "apps/program.h"

// Trainings of a moment on texts as people have them, which do not belong to the project: skipped where they are not.
namespace rune::test {
namespace {

using testing::HasSubstr;

constexpr const char* kWhy = "needs a corpus that is no part of the project and is looked for in ../shared/data:";

class Corpora : public ProgramTest {
 protected:
  /// Empty where there is none of that name.
  [[nodiscard]] static std::string corpus(const std::string& name) {
    const auto file = std::filesystem::path(RUNE_SHARED_DATA) / name;
    return std::filesystem::exists(file) ? file.string() : "";
  }
};

TEST_F(Corpora, AChineseNovelIsReadByCharactersAndByWords) {
  const std::string novel = corpus("zh_xiyouji.txt");
  if (novel.empty()) GTEST_SKIP() << kWhy << " zh_xiyouji.txt";
  for (const std::string unit : {"char", "word"}) {
    const Result trained = run(training(novel, unit, {"--unit", unit, "--steps", "5", "--embedding", "16"}));
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_EQ(metrics(unit).back()["step"], 5);
    const Result written = run({"sample", unit, "-p", "悟空", "-n", "5"});
    EXPECT_EQ(written.exit_code, 0) << written.err;
    EXPECT_THAT(written.out, HasSubstr("悟空"));
  }
}

TEST_F(Corpora, NamesAreInventedThatNobodyHas) {
  const std::string names = corpus("names.txt");
  if (names.empty()) GTEST_SKIP() << kWhy << " names.txt";
  const Result trained =
      run(training(names, "names", {"--records", "lines", "--batching", "records", "--steps", "200"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Result written = run({"sample", "names", "-p", "mar", "--num-samples", "5", "--novel"});
  ASSERT_EQ(written.exit_code, 0) << written.err;
  std::set<std::string> known;
  std::ifstream file(names);
  for (std::string name; std::getline(file, name);) known.insert(name);
  std::istringstream lines(written.out);
  int count = 0;
  for (std::string name; std::getline(lines, name); ++count) {
    EXPECT_TRUE(name.starts_with("mar")) << name;
    EXPECT_FALSE(known.contains(name)) << name;
  }
  EXPECT_EQ(count, 5) << written.out;
}

}  // namespace
}  // namespace rune::test
