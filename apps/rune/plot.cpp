#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "tools/curves.h"
#include "tools/plot.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::vector<std::string> runs;
  std::vector<std::string> csv_files;
  std::string output;  // empty: the terminal
  tools::PlotOptions options;
};

// As large as the terminal, less the line of the next prompt; where stdout is none, as wide as a page of text.
void fit_to_terminal(tools::PlotOptions& options) {
  constexpr int kLeastColumns = 40;
  constexpr int kLeastRows = 12;
  constexpr int kMost = 1000;
  if (is_terminal(STDOUT_FILENO)) {
    const TerminalSize size = terminal_size(STDOUT_FILENO);
    if (options.width == 0) options.width = std::clamp(static_cast<int>(size.columns), kLeastColumns, kMost);
    if (options.height == 0) options.height = std::clamp(static_cast<int>(size.rows) - 1, kLeastRows, kMost);
    const char* const no_color = std::getenv("NO_COLOR");
    const char* const kind = std::getenv("TERM");
    options.colors = (no_color == nullptr || *no_color == '\0') && kind != nullptr && std::string_view(kind) != "dumb";
  }
}

// False: help was asked for.
bool read(int argc, const char* const* argv, Request& request) {
  tools::PlotOptions& options = request.options;
  bool no_learning_rate = false;
  CommandLine line("plot", "RUN... [-o FILE.svg|FILE.png] [OPTION...]",
                   "Draws the losses of trainings over each other, and their learning rates below: in the terminal, or "
                   "into a file. A curve that still falls has more to learn; a validation loss that rises while the "
                   "training loss falls has begun to learn the text by heart. A dot marks the lowest loss of each "
                   "curve, and the legend lists the curves by it. gnuplot draws: sudo apt-get install gnuplot-nox.");
  line.optional_operands("RUN", request.runs, "Run directories, of trainings that go on as well.");
  line.group("What is drawn");
  line.option("--curve", "FILE.csv", request.csv_files,
              "A curve from elsewhere; may be given several times. The first row names the columns: step, epoch, "
              "characters or seconds, and train_loss or validation_loss.");
  line.option("--by", "NAME", options.by,
              "What the curves are drawn over: " + train::list_names<tools::Axis>() +
                  ". Trainings with other batches compare by characters or seconds. [the first that all curves know]");
  line.flag("--no-learning-rate", no_learning_rate, "Leave out the lower panel.");
  line.option("--min-loss", "X", options.min_loss, "Where the losses begin. [the lowest]");
  line.option("--max-loss", "X", options.max_loss,
              "Where they end. [the highest, or below where a few are far above all others]");
  line.flag("--log-x", options.log_x, "Logarithmic steps, epochs, characters or seconds.");
  line.flag("--log-y", options.log_y, "Logarithmic losses.");
  line.group("The picture");
  line.option("-o,--output", "FILE", request.output, "An .svg or .png file, replaced if it exists. [the terminal]");
  line.option("--title", "TEXT", options.title, "A line above. [the name of a single run]");
  line.option("--width", "N", options.width,
              "Pixels, or columns of the terminal; 0: 960, 1920 in a PNG, the terminal's.");
  line.option("--height", "N", options.height, "Pixels, or lines; 0: 600, 1200 in a PNG, the terminal's.");
  line.example("rune plot runs/book", "how a training goes, in the terminal");
  line.example("rune plot runs/* --by characters -o losses.svg", "which training learns most from as much text");
  line.example("rune plot runs/book --curve published.csv --max-loss 2 -o losses.png", "beside a published curve");
  if (!line.parse(argc, argv)) return false;

  if (request.runs.empty() && request.csv_files.empty()) {
    throw UsageError("RUN is missing\nusage: rune plot RUN... [-o FILE.svg|FILE.png] [OPTION...]");
  }
  options.learning_rate = !no_learning_rate;
  options.format = tools::PlotFormat::terminal;
  try {
    if (!request.output.empty()) options.format = tools::plot_format_of(request.output);
    if (request.output.empty()) fit_to_terminal(options);
    tools::validate(options);
  } catch (const InputError& error) {
    throw UsageError(error.what());
  }
  return true;
}

}  // namespace

int plot(int argc, const char* const* argv) {
  Request request;
  if (!read(argc, argv, request)) return success;

  const auto curves = tools::read_curves(std::vector<fs::path>(request.runs.begin(), request.runs.end()),
                                         std::vector<fs::path>(request.csv_files.begin(), request.csv_files.end()));
  if (!request.output.empty()) {
    tools::write_plot(curves, request.options, request.output);
    return success;
  }
  Output output(Output::Controls::pass);
  output.write(tools::render(curves, request.options));
  output.flush();
  return success;
}

}  // namespace rune::app
