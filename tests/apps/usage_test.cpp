#include <gmock/gmock.h>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Usage : public ProgramTest {};

TEST_F(Usage, VersionGoesToStdout) {
  const Result result = run({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, StartsWith("rune "));
  EXPECT_EQ(result.err, "");
}

TEST_F(Usage, HelpListsEveryCommandAndEveryCommandHasHelp) {
  const Result all = run({"help"});
  EXPECT_EQ(all.exit_code, 0);
  for (const std::string command : {"train", "resume", "sample", "eval", "inspect", "plot"}) {
    EXPECT_THAT(all.out, HasSubstr("\n  " + command));
    const Result one = run({"help", command});
    EXPECT_EQ(one.exit_code, 0);
    EXPECT_THAT(one.out, StartsWith("usage: rune " + command));
    EXPECT_EQ(run({command, "--help"}).out, one.out);
  }
}

TEST_F(Usage, WrongUsageExitsWithTwoAndSaysNothingOnStdout) {
  const std::vector<Arguments> wrong{{},
                                     {"fly"},
                                     {"help", "fly"},
                                     {"train"},
                                     {"train", "text", "--layers"},
                                     {"train", "text", "--layers", "two"},
                                     {"train", "text", "--layers", "0"},
                                     {"train", "text", "--dropout", "2"},
                                     {"train", "text", "--cell", "transformer"},
                                     {"train", "text", "--epochs", "2", "--steps", "3"},
                                     {"train", "text", "--precision", "f64"},
                                     {"train", "text", "--eval-every", "2x"},
                                     {"train", "text", "--lr", "nan"},
                                     {"train", "text", "--field", "body"},
                                     {"resume"},
                                     {"resume", "a", "b"},
                                     {"sample"},
                                     {"sample", "model", "--temperature", "-1"},
                                     {"sample", "model", "--temperature", "1", "--beta", "2"},
                                     {"sample", "model", "--beta", "0"},
                                     {"sample", "model", "-n", "-5"},
                                     {"sample", "model", "--seed", "-1"},
                                     {"eval", "model"},
                                     {"eval", "model", "text", "--protocol", "columns:3"},
                                     {"inspect"}};
  for (const Arguments& arguments : wrong) {
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments) << result.err;
    EXPECT_EQ(result.out, "") << testing::PrintToString(arguments);
    EXPECT_THAT(result.err, StartsWith("rune: "));
  }
}

TEST_F(Usage, MisspellingsGetASuggestion) {
  EXPECT_THAT(run({"train", "text", "--hiden-size", "3"}).err, HasSubstr("did you mean '--hidden-size'?"));
  EXPECT_THAT(run({"smaple"}).err, HasSubstr("did you mean 'sample'?"));
  EXPECT_THAT(run({"train", "text", "--cell", "lstn"}).err, HasSubstr("did you mean 'lstm'?"));
}

TEST_F(Usage, FailuresExitWithOneAndOneLineThatNamesTheFile) {
  for (const Arguments& arguments :
       {Arguments{"train", "absent.txt"}, Arguments{"sample", "absent"}, Arguments{"eval", "absent", "x"},
        Arguments{"inspect", "absent"}, Arguments{"resume", "absent"}, Arguments{"plot", "absent"}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("absent"));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
  EXPECT_TRUE(!std::filesystem::exists(path("runs")));
}

TEST_F(Usage, AFileCannotDriveTheTerminalThatTellsOfIt) {
  const std::string name = "a\x1b[2Jb";
  write(name, "step,\x1b]0;title\x07\n1,2\n");
  for (const Arguments& arguments : {Arguments{"eval", name, name}, Arguments{"plot", "--curve", name}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr(R"(a\x1b[2Jb)"), Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
  }
}

TEST_F(Usage, FullDiskIsAFailure) {
  const pid_t child = start({"help"}, "/dev/null", "/dev/full");
  EXPECT_EQ(wait(child).exit_code, 1);
}

}  // namespace
}  // namespace rune::test
