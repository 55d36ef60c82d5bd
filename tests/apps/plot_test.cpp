#include <gmock/gmock.h>
#include <sys/ioctl.h>

#include <cmath>
#include <sstream>

#include "apps/program.h"
#include "support/search_path.h"

namespace rune::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Plot : public ProgramTest {
 protected:
  // A run directory as training leaves it, as far as plots read it.
  void make_run(const std::string& name, double floor = 1.5) const {
    std::string metrics;
    for (int i = 1; i <= 40; ++i) {
      nlohmann::ordered_json line;
      line["step"] = 10 * i;
      line["epoch"] = i / 8.0;
      line["characters"] = 128'000 * i;
      line["train_loss"] = floor + 0.1 + 2 * std::exp(-i / 8.0);
      line["validation_loss"] = i % 2 == 0 ? nlohmann::ordered_json(floor + 2 * std::exp(-i / 8.0)) : nullptr;
      line["protocol"] = i % 2 == 0 ? nlohmann::ordered_json("rows:128") : nullptr;
      line["learning_rate"] = 1e-3;
      line["seconds"] = 21.5 * i;
      metrics += line.dump() + '\n';
    }
    std::filesystem::create_directories(path(name));
    write(name + "/metrics.jsonl", metrics);
  }

  static std::size_t widest(const std::string& text) {
    std::size_t width = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) width = std::max(width, line.size());
    return width;
  }
};

TEST_F(Plot, FilesHaveTheFormatOfTheirExtension) {
  make_run("runs/book");
  make_run("runs/play", 1.7);
  for (const std::string file : {"losses.svg", "losses.png"}) {
    const Result result = run({"plot", "runs/book", "runs/play", "--by", "characters", "-o", file});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out + result.err, "");
  }
  EXPECT_THAT(read("losses.svg"), AllOf(HasSubstr("characters trained on, millions"), HasSubstr("book"),
                                        HasSubstr("play"), HasSubstr("</svg>")));
  EXPECT_THAT(read("losses.png"), StartsWith("\x89PNG"));
}

TEST_F(Plot, WithoutAFileItDrawsText) {
  make_run("book");
  const Result result = run({"plot", "book"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("nats per character"), HasSubstr("learning rate"),
                                HasSubstr("* validation loss, lowest 1.5135 at 400 steps"), Not(HasSubstr("\x1b"))));
  EXPECT_LE(widest(result.out), 80);
  EXPECT_LE(widest(run({"plot", "book", "--width", "60", "--height", "20"}).out), 60);
}

TEST_F(Plot, ATerminalIsFilled) {
  make_run("book");
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  winsize size{};
  size.ws_col = 64;
  size.ws_row = 26;
  ASSERT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  const std::string name = ptsname(terminal);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_EQ(wait(start({"plot", "book"}, "/dev/null", name)).exit_code, 0) << read("err");
  std::string out(1 << 16, '\0');
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(terminal, out.data(), out.size()))));
  EXPECT_THAT(out, HasSubstr("\x1b[38;5;"));
  EXPECT_GE(std::ranges::count(out, '\n'), 20);
  EXPECT_LE(std::ranges::count(out, '\n'), 25);

  setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(wait(start({"plot", "book"}, "/dev/null", name)).exit_code, 0) << read("err");
  unsetenv("NO_COLOR");
  out.assign(1 << 16, '\0');
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(terminal, out.data(), out.size()))));
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  EXPECT_LE(widest(out), 65);  // with the carriage return
  EXPECT_GE(widest(out), 60);
  close(terminal);
}

TEST_F(Plot, CurvesFromElsewhereLieOverRuns) {
  make_run("book");
  write("first.csv", "step,train_loss,validation_loss\n100,2.5,2.4\n200,2.1,2.0\n");
  write("second.csv", "epoch,step,validation_loss\n1,100,2.5\n2,200,1.25\n");
  const Result over = run({"plot", "--curve", "first.csv", "--curve=second.csv", "book", "-o", "losses.svg"});
  EXPECT_EQ(over.exit_code, 0) << over.err;
  EXPECT_THAT(read("losses.svg"),
              AllOf(HasSubstr("2.0000  first"), HasSubstr("1.2500  second"), HasSubstr("1.5135  book")));
  EXPECT_EQ(run({"plot", "--curve", "second.csv"}).exit_code, 0);
  const Result unknown = run({"plot", "book", "--curve", "first.csv", "--by", "seconds"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("'first' says steps"), Not(HasSubstr("book"))));
}

TEST_F(Plot, WrongUsageExitsWithTwo) {
  make_run("book");
  const std::vector<Arguments> wrong{{"plot"},
                                     {"plot", "book", "-o", "losses.jpg"},
                                     {"plot", "book", "-o", "svg"},
                                     {"plot", "book", "--by", "weeks"},
                                     {"plot", "book", "--width", "3"},
                                     {"plot", "book", "--height", "-1"},
                                     {"plot", "book", "--min-loss", "2", "--max-loss", "1"},
                                     {"plot", "book", "--log-y", "--min-loss", "0"},
                                     {"plot", "book", "--curve"}};
  for (const Arguments& arguments : wrong) {
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments) << result.err;
    EXPECT_EQ(result.out, "");
  }
  EXPECT_THAT(run({"plot", "book", "-o", "losses.jpg"}).err, AllOf(HasSubstr(".svg or .png"), HasSubstr("losses.jpg")));
  EXPECT_THAT(run({"plot", "book", "--by", "step"}).err, HasSubstr("did you mean 'steps'?"));
}

TEST_F(Plot, NamesOfRunsAreHarmless) {
  const std::vector<std::string> names{"\"; system(\"touch owned\") #",
                                       "`touch owned`",
                                       "it's\nsystem('touch owned')",
                                       "back\\slash\\",
                                       "$(touch owned)",
                                       "<script>&lt;",
                                       "\xFF\xFE",
                                       "\x1b[2J",
                                       "@x",
                                       "\u202e\u4e66"};
  Arguments arguments{"plot"};
  for (const std::string& name : names) {
    make_run(name);
    arguments.push_back(name);
    for (const Arguments& output : {Arguments{}, {"-o", "one.svg"}, {"-o", "one.png"}}) {
      Arguments one{"plot", name, "--title", name};
      one.insert(one.end(), output.begin(), output.end());
      const Result result = run(one);
      EXPECT_EQ(result.exit_code, 0) << name << result.err;
      EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
    }
  }
  for (const Arguments& output : {Arguments{}, {"-o", "all.svg"}, {"-o", "all.png"}}) {
    Arguments all = arguments;
    all.insert(all.end(), output.begin(), output.end());
    const Result result = run(all);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("owned")));
  EXPECT_THAT(read("all.svg"),
              AllOf(HasSubstr("`touch owned`"), HasSubstr("&lt;script&gt;"), Not(HasSubstr("<script"))));
}

TEST_F(Plot, BadMetricsAreNamedAndLeaveTheOldPlot) {
  make_run("book");
  make_run("bad");
  write("bad/metrics.jsonl", "{\"step\":1,\"train_loss\":3}\n{\"step\":2,\"train_loss\":NaN}\n{}\n");
  write("losses.svg", "before");
  const Result result = run({"plot", "book", "bad", "-o", "losses.svg"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("bad/metrics.jsonl:2:"));
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1);
  EXPECT_EQ(read("losses.svg"), "before");
}

TEST_F(Plot, GnuplotThatIsMissingOrFailsIsExplained) {
  make_run("book");
  write("losses.svg", "before");
  std::filesystem::create_directory(path("bin"));
  const SearchPath search(path("bin"));
  const Result missing = run({"plot", "book", "-o", "losses.svg"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("sudo apt-get install gnuplot-nox"));
  write_program(path("bin/gnuplot"), "echo '<svg>'; echo boom >&2; exit 1");
  const Result failing = run({"plot", "book", "-o", "losses.svg"});
  EXPECT_EQ(failing.exit_code, 1);
  EXPECT_THAT(failing.err, HasSubstr("boom"));
  EXPECT_EQ(read("losses.svg"), "before");
}

}  // namespace
}  // namespace rune::test
