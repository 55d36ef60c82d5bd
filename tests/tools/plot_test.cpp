#include "tools/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include "base/file.h"
#include "support/search_path.h"
#include "support/temporary_folder.h"

namespace rune::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A training that ends near `floor`.
Curve training(const std::string& label, double floor = 1.5, int points = 50) {
  Curve curve{.label = label, .points = {}};
  for (int i = 1; i <= points; ++i) {
    const double loss = floor + 2 * std::exp(-i / 10.0);
    curve.points.push_back({.step = 10.0 * i,
                            .epoch = 0.1 * i,
                            .characters = 12'800.0 * i,
                            .seconds = 300.0 * i,
                            .train_loss = loss + 0.125,
                            .validation_loss = loss,
                            .learning_rate = 1e-3});
  }
  return curve;
}

std::vector<Curve> trainings(int count) {
  std::vector<Curve> curves;
  for (int i = 0; i < count; ++i) curves.push_back(training("run " + std::to_string(i), 1.5 + 0.01 * i));
  return curves;
}

struct Bounds {
  double low;
  double high;
};
// Of the n-th panel.
Bounds range(const std::string& script, const std::string& axis, int panel = 0) {
  const std::regex pattern("set " + axis + R"(range \[([^:]*):([^\]]*)\])");
  auto found = std::sregex_iterator(script.begin(), script.end(), pattern);
  std::advance(found, panel);
  return {std::stod((*found)[1]), std::stod((*found)[2])};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    (void)call();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(PlotScript, NamesAxesWithTheirUnits) {
  const std::vector<Curve> curves{training("run")};
  EXPECT_THAT(plot_script(curves, {}),
              AllOf(HasSubstr("\"loss, nats per character\""), HasSubstr("\"steps\""), HasSubstr("\"learning rate\"")));
  EXPECT_THAT(plot_script(curves, {.by = Axis::epochs}), HasSubstr("\"epochs\""));
  EXPECT_THAT(plot_script(curves, {.by = Axis::characters}), HasSubstr("\"characters trained on, thousands\""));
  EXPECT_THAT(plot_script(curves, {.by = Axis::seconds}), HasSubstr("\"training time, hours\""));
  EXPECT_NEAR(range(plot_script(curves, {.by = Axis::seconds}), "x").high, 15'000 / 3600.0, 0.1);
}

TEST(PlotScript, DrawsByWhatAllCurvesKnow) {
  Curve published{.label = "published", .points = {{.epoch = 1.0, .validation_loss = 2.0}}};
  const std::vector<Curve> both{training("run"), published};
  EXPECT_THAT(plot_script(both, {}), HasSubstr("\"epochs\""));
  EXPECT_THAT(error_of([&] { return plot_script(both, {.by = Axis::characters}); }),
              AllOf(HasSubstr("characters"), HasSubstr("'published' says epochs")));
  Curve other{.label = "other", .points = {{.step = 1.0, .validation_loss = 2.0}}};
  EXPECT_THAT(error_of([&] {
                return plot_script(std::vector{published, other}, {});
              }),
              AllOf(HasSubstr("'published' says epochs"), HasSubstr("'other' says steps")));
}

TEST(PlotScript, RefusesWhatCannotBeDrawn) {
  const std::vector<Curve> curves{training("run")};
  EXPECT_THROW((void)plot_script({}, {}), InputError);
  EXPECT_THROW((void)plot_script(curves, {.width = 5}), InputError);
  EXPECT_THROW((void)plot_script(curves, {.height = 100'000}), InputError);
  EXPECT_THROW((void)plot_script(curves, {.min_loss = 3, .max_loss = 2}), InputError);
  EXPECT_THROW((void)plot_script(curves, {.max_loss = 0.5}), InputError);
  EXPECT_THROW((void)plot_script(curves, {.log_y = true, .min_loss = 0}), InputError);
  const std::vector<Curve> zero{{.label = "zero", .points = {{.step = 0.0, .train_loss = 1.0}}}};
  EXPECT_THAT(error_of([&] { return plot_script(zero, {.log_x = true}); }), HasSubstr("'zero'"));
}

TEST(PlotScript, OnlyCurveShowsBothLossesAndWhereTheLowestIs) {
  Curve curve = training("run");
  curve.points[30].validation_loss = 1.23456;
  const std::string script = plot_script(std::vector{curve}, {});
  EXPECT_THAT(script, AllOf(HasSubstr("title \"validation\""), HasSubstr("title \"training\""),
                            HasSubstr("\"1.2346 at 310 steps\"")));
  EXPECT_THAT(script, HasSubstr("\"run\""));
  EXPECT_THAT(plot_script(std::vector{curve}, {.title = "A title"}), HasSubstr("\"A title\""));
}

TEST(PlotScript, LegendListsTheLowestLossFirst) {
  const std::string script =
      plot_script(std::vector{training("worse", 1.6), training("best", 1.4), training("worst", 1.9)}, {});
  const std::size_t best = script.find("  best\"");
  const std::size_t worse = script.find("  worse\"");
  const std::size_t worst = script.find("  worst\"");
  ASSERT_NE(best, std::string::npos);
  EXPECT_LT(best, worse);
  EXPECT_LT(worse, worst);
  EXPECT_LT(worst, std::string::npos);
}

TEST(PlotScript, CurveWithoutValidationShowsItsTraining) {
  Curve curve = training("blind");
  for (CurvePoint& point : curve.points) point.validation_loss.reset();
  const std::string script = plot_script(std::vector{training("run"), curve}, {});
  EXPECT_THAT(script, AllOf(HasSubstr("blind (training)"), HasSubstr("$train1"), HasSubstr("\"lowest loss\"")));
}

TEST(PlotScript, ManyCurvesLeaveTrainingLossesOut) {
  EXPECT_EQ(count(plot_script(trainings(8), {}), "$train"), 16);  // each is defined and drawn
  const std::string many = plot_script(trainings(20), {});
  EXPECT_EQ(count(many, "$train"), 0);
  EXPECT_EQ(count(many, "$validation"), 40);
  for (int i = 0; i < 20; ++i) EXPECT_THAT(many, HasSubstr("  run " + std::to_string(i) + '"'));
}

TEST(PlotScript, TwentyCurvesAreTellableApart) {
  const std::string script = plot_script(trainings(20), {});
  const std::regex look(R"(\$validation\d+ using.*(linecolor .* dashtype \S+) notitle)");
  std::vector<std::string> looks;
  for (auto it = std::sregex_iterator(script.begin(), script.end(), look); it != std::sregex_iterator(); ++it) {
    looks.push_back((*it)[1]);
  }
  ASSERT_EQ(looks.size(), 20);
  std::ranges::sort(looks);
  EXPECT_EQ(std::ranges::adjacent_find(looks), looks.end());
}

TEST(PlotScript, LegendThatIsTooLongSaysHowManyAreLeftOut) {
  const std::string script = plot_script(trainings(100), {});
  std::smatch found;
  ASSERT_TRUE(std::regex_search(script, found, std::regex(R"("and (\d+) more")")));
  EXPECT_EQ(count(script, "  run ") + std::stoul(found[1]), 100);
}

TEST(PlotScript, AFewHugeLossesAreCutOff) {
  Curve curve = training("run");
  const Bounds usual = range(plot_script(std::vector{curve}, {}), "y");
  EXPECT_LT(usual.low, 1.5);
  EXPECT_GT(usual.high, 3.3);
  curve.points[0].validation_loss = 1000;
  curve.points[1].train_loss = 500;
  const std::string script = plot_script(std::vector{curve}, {});
  EXPECT_LT(range(script, "y").high, 6);
  EXPECT_THAT(script, HasSubstr("up to 1000"));
  EXPECT_NEAR(range(plot_script(std::vector{curve}, {.max_loss = 1200}), "y").high, 1200, 1e-9);
  // The few points of a short run are all it has.
  EXPECT_GT(range(plot_script(std::vector{training("short", 1.5, 4)}, {}), "y").high, 3.3);
}

TEST(PlotScript, LearningRatesHaveTheirPanel) {
  std::vector<Curve> curves = trainings(2);
  std::string script = plot_script(curves, {});
  EXPECT_EQ(range(script, "y", 1).low, 0);
  EXPECT_NEAR(range(script, "y", 1).high, 1e-3, 2e-4);
  EXPECT_THAT(plot_script(curves, {.learning_rate = false}), Not(HasSubstr("learning rate")));
  for (CurvePoint& point : curves[1].points) point.learning_rate = 1e-5;
  script = plot_script(curves, {});
  EXPECT_THAT(script, HasSubstr("set logscale y"));
  EXPECT_LT(range(script, "y", 1).low, 1e-5);
  for (Curve& curve : curves) {
    for (CurvePoint& point : curve.points) point.learning_rate.reset();
  }
  EXPECT_THAT(plot_script(curves, {}), Not(HasSubstr("learning rate")));
}

TEST(PlotScript, LongCurvesAreThinnedAndKeepTheirLowest) {
  Curve curve = training("long", 1.5, 100'000);
  curve.points[77'777].validation_loss = 1.0625;
  const std::string script = plot_script(std::vector{curve}, {});
  EXPECT_LT(script.size(), 100'000);
  EXPECT_TRUE(script.find("0.77778 1.0625\n") != std::string::npos);
}

TEST(PlotScript, LongLabelsKeepTheirEnds) {
  const std::string script =
      plot_script(std::vector{training("begin" + std::string(100, '-') + "end"), training("b")}, {});
  EXPECT_THAT(script, AllOf(HasSubstr("begin--"), HasSubstr("--end\""), Not(HasSubstr(std::string(33, '-')))));
}

// The commands for a run of any name are those for a run called x, with other letters in the same quotes.
RC_GTEST_PROP(PlotScript, NoLabelBecomesACommand, ()) {
  const auto piece = rc::gen::element<std::string>(
      "`touch owned`", "\"", "'", "\\", "\n", "$(id)", "@x", "!ls", "END\n", "system('id')", "#", "%s", "a", "\xFF",
      "\xC3\xA9", "\xE2\x80\xAE", "\x1b[31m", "</title>", "&amp;", std::string(1, '\0'));
  std::string label;
  for (const std::string& text : *rc::gen::container<std::vector<std::string>>(piece)) label += text;
  const auto format = *rc::gen::element(PlotFormat::svg, PlotFormat::png, PlotFormat::terminal);
  const int others = *rc::gen::inRange(0, 2);
  const auto script_for = [&](const std::string& name) {
    std::vector<Curve> curves = trainings(others);
    curves.push_back(training(name));
    // Where the legend is depends on its widest line.
    return std::regex_replace(plot_script(curves, {.format = format, .title = "t" + name}), std::regex("[0-9.]+,?"),
                              "");
  };
  const std::string script = script_for(label);
  for (const char c : script) RC_ASSERT((c >= ' ' && c <= '~') || c == '\n');
  const auto without_texts = [](const std::string& text) {
    return std::regex_replace(text, std::regex("\"[^\"]*\""), "\"\"");
  };
  RC_ASSERT(without_texts(script) == without_texts(script_for("x")));
  RC_ASSERT(script.find('`') == std::string::npos);
}

// What is not finite would be an error of gnuplot.
RC_GTEST_PROP(PlotScript, AnyNumbersAreDrawnOrRefused, ()) {
  const auto value = rc::gen::map(rc::gen::pair(rc::gen::inRange(-12, 12), rc::gen::inRange(-330, 308)), [](auto pair) {
    return std::optional<double>(pair.first == 0 ? 0 : pair.first * std::pow(10, pair.second));
  });
  Curve curve{.label = "any", .points = {}};
  for (int i = *rc::gen::inRange(1, 20); i > 0; --i) {
    curve.points.push_back({.step = *value, .train_loss = *value, .validation_loss = *value, .learning_rate = *value});
  }
  const PlotOptions options{.format = *rc::gen::element(PlotFormat::svg, PlotFormat::terminal),
                            .log_x = *rc::gen::arbitrary<bool>(),
                            .log_y = *rc::gen::arbitrary<bool>()};
  try {
    const std::string script = plot_script(std::vector{curve}, options);
    RC_ASSERT(script.find("inf") == std::string::npos);
    RC_ASSERT(script.find("nan") == std::string::npos);
    const Bounds x = range(script, "x");
    RC_ASSERT(x.low < x.high);
    const Bounds y = range(script, "y");
    RC_ASSERT(y.low < y.high);
  } catch (const InputError&) {}
}

TEST(Plot, SvgHoldsNamesAndLines) {
  std::vector<Curve> curves = trainings(3);
  curves[1].label = "<b>&amp;\"it's\"\n";
  const std::string svg = render_svg(curves, {.format = PlotFormat::terminal});
  EXPECT_THAT(svg, testing::StartsWith("<?xml"));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, HasSubstr("nats per character"));
  EXPECT_THAT(svg, HasSubstr("<title>run 0, validation</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>&lt;b&gt;&amp;amp;\"it's\" , validation</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, Not(HasSubstr("<title>losses_plot")));
  EXPECT_GE(count(svg, "<path"), 9);
}

TEST(Plot, PngHasTheSizeWanted) {
  const std::string png = render(trainings(2), {.format = PlotFormat::png, .width = 640, .height = 480});
  ASSERT_THAT(png, testing::StartsWith("\x89PNG"));
  const auto big_endian = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(png[at + i]);
    return value;
  };
  EXPECT_EQ(big_endian(16), 640);
  EXPECT_EQ(big_endian(20), 480);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Plot, TerminalPictureFits) {
  for (const int runs : {1, 3, 8}) {
    const PlotOptions options{.format = PlotFormat::terminal, .width = 70, .height = 34};
    const std::string text = render(trainings(runs), options);
    for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 70) << line;
    EXPECT_LE(lines_of(text).size(), 34) << text;
    EXPECT_GE(lines_of(text).size(), 30) << text;
    EXPECT_THAT(text, AllOf(HasSubstr("loss, nats per character"), HasSubstr("learning rate"), HasSubstr("steps")));
    EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\f"))));
  }
}

TEST(Plot, TerminalPictureOfOneRunShowsBothLosses) {
  const std::string text = render(trainings(1), {.format = PlotFormat::terminal});
  EXPECT_THAT(text, AllOf(HasSubstr("* validation loss, lowest 1.5135 at 500 steps"), HasSubstr(". training loss")));
  EXPECT_GT(count(text, "*"), 50);
}

TEST(Plot, TerminalPictureOfSeveralRunsHasALetterForEach) {
  const std::vector<Curve> curves{training("one", 1.5), training("two", 2.0), training("three", 1.0)};
  const std::string text = render(curves, {.format = PlotFormat::terminal});
  EXPECT_THAT(text, HasSubstr("  C 1.0135  three\n  A 1.5135  one\n  B 2.0135  two\n"));
  for (const char* letter : {"A", "B", "C"}) EXPECT_GT(count(text, letter), 30) << text;
  EXPECT_THAT(render(curves, {.format = PlotFormat::terminal, .colors = true}), HasSubstr("\x1b[38;5;"));
}

// gnuplot must take whatever plot_script makes.
TEST(Plot, OddCurvesAreDrawn) {
  const Curve flat{.label = "flat", .points = {{.step = 0.0, .train_loss = 0.0, .learning_rate = -1.0}}};
  const Curve huge{.label = "huge",
                   .points = {{.step = -1e29, .train_loss = -1e29, .learning_rate = 1e-300},
                              {.step = 1e29, .train_loss = 1e29, .learning_rate = 1e29}}};
  const Curve tiny{.label = "tiny",
                   .points = {{.step = 1e-20, .train_loss = 1 + 1e-15}, {.step = 2e-20, .train_loss = 1.0}}};
  const Curve back{.label = "back", .points = {{.step = 9.0, .train_loss = 2.0}, {.step = 1.0, .train_loss = 1.0}}};
  for (const Curve& curve : {flat, huge, tiny, back}) {
    for (const auto format : {PlotFormat::svg, PlotFormat::png, PlotFormat::terminal}) {
      SCOPED_TRACE(curve.label + " " + std::to_string(static_cast<int>(format)));
      EXPECT_GT(render(std::vector{curve}, {.format = format}).size(), 300);
      EXPECT_GT(render(std::vector{curve, training("run")}, {.format = format}).size(), 300);
      if (curve.label == "flat") continue;
      EXPECT_GT(render(std::vector{curve}, {.format = format, .log_x = true, .log_y = true}).size(), 300);
    }
  }
}

TEST(Plot, FileIsReplacedAsAWholeOrNotAtAll) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "losses.svg", "before");
  test::write_program(folder / "gnuplot", "echo '<svg'; echo 'line 3: bo\tom' >&2; exit 3");
  {
    const test::SearchPath path(folder / "");
    EXPECT_THAT(error_of([&] {
                  write_plot(trainings(1), {}, folder / "losses.svg");
                  return 0;
                }),
                AllOf(HasSubstr("gnuplot failed (exit code 3)"), HasSubstr("line 3: bo om")));
  }
  EXPECT_EQ(read_file(folder / "losses.svg"), "before");
  write_plot(trainings(1), {}, folder / "losses.svg");
  EXPECT_THAT(read_file(folder / "losses.svg"), HasSubstr("</svg>"));
  write_plot(trainings(1), {}, folder / "losses.png");
  EXPECT_THAT(read_file(folder / "losses.png"), testing::StartsWith("\x89PNG"));
  EXPECT_THROW(write_plot(trainings(1), {}, folder / "losses.pdf"), InputError);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / ""), {}), 3);
}

TEST(Plot, FormatIsThatOfTheExtension) {
  EXPECT_EQ(plot_format_of("a.b/c.svg"), PlotFormat::svg);
  EXPECT_EQ(plot_format_of("c.png"), PlotFormat::png);
  for (const char* name : {"c.jpg", "c", ".svg", "c.svg/", "c.SVG.txt"}) {
    EXPECT_THAT(error_of([&] { return plot_format_of(name); }), AllOf(HasSubstr(".svg or .png"), HasSubstr(name)));
  }
}

}  // namespace
}  // namespace rune::tools
