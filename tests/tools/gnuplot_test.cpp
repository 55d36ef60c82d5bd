#include "tools/gnuplot.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include "support/search_path.h"
#include "support/temporary_folder.h"

namespace rune::tools {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& script) {
  try {
    (void)run_gnuplot(script);
  } catch (const FileError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(Gnuplot, MissingProgramSaysHowToInstallIt) {
  const test::TemporaryFolder folder;
  const test::SearchPath path(folder / "");
  EXPECT_THAT(error_of("plot x"), HasSubstr("apt-get install gnuplot-nox"));
}

TEST(Gnuplot, FailuresSayWhatItSaid) {
  EXPECT_THAT(error_of("set terminal dumb\nfly\n"), HasSubstr("invalid command"));
  EXPECT_THAT(error_of(""), HasSubstr("drew nothing"));
  const test::TemporaryFolder folder;
  test::write_program(folder / "gnuplot", "kill -9 $$");
  const test::SearchPath path(folder / "");
  EXPECT_THAT(error_of("plot x"), HasSubstr("signal 9"));
}

TEST(Gnuplot, SettingsOfTheUserAreLeftAlone) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / ".gnuplot") << "exit status 9\n";
  const std::string home = getenv("HOME") == nullptr ? "" : getenv("HOME");
  setenv("HOME", (folder / "").c_str(), 1);
  EXPECT_NO_THROW((void)run_gnuplot("set terminal dumb\nplot x\n"));
  setenv("HOME", home.c_str(), 1);
}

TEST(Gnuplot, CharactersWithoutAFontAreReplaced) {
  const test::TemporaryFolder folder;
  test::write_program(folder / "fc-list", "echo ':charset=20-7e e9'; echo ':charset=4e00-9fff'");
  std::vector<std::string> texts{"b\u00e9\u0436", "\u4e66 \u3042", "plain"};
  const test::SearchPath path(folder / "");
  replace_missing_glyphs(texts);
  EXPECT_THAT(texts, testing::ElementsAre("b\u00e9\uFFFD", "\u4e66 \uFFFD", "plain"));
}

}  // namespace
}  // namespace rune::tools
