#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "tools/curves.h"

/// Pictures of curves, drawn by gnuplot, which runs as a program of its own.
///
/// Colours follow the order in which curves are given; legends list them by their lowest loss. The upper panel holds
/// the losses: the validation loss of each curve, or its training loss where it has no other, with a dot at its lowest
/// value. Up to eight curves show their training losses as well, thin and pale; in a terminal a single one does. The
/// panel below holds learning rates.
///
/// The functions share nothing and may run in any number of threads.
namespace rune::tools {

enum class PlotFormat { svg, png, terminal };

struct PlotOptions {
  PlotFormat format = PlotFormat::svg;
  std::optional<Axis> by;          // empty: the first of its values that all curves know
  int width = 0;                   // pixels, or columns of a terminal; 0: 960, 1920 in a PNG, 80 columns
  int height = 0;                  // pixels, or lines; 0: 600, 1200 in a PNG, 30 lines. Letters grow with a picture
  std::string title;               // empty: the label of the only curve, no title above several
  bool log_x = false;              // logarithmic; points at 0 are left out
  bool log_y = false;              // the losses
  std::optional<double> min_loss;  // nats per character; empty: the lowest
  std::optional<double> max_loss;  // empty: all but the few highest, where they would press the others together
  bool learning_rate = true;       // the lower panel, where a curve knows its learning rates
  bool colors = false;             // of a terminal: ANSI escape sequences
};

/// Throws InputError naming the option that is out of range.
void validate(const PlotOptions& options);

/// The format that a file's extension asks for. Throws InputError naming those there are.
PlotFormat plot_format_of(const std::filesystem::path& file);

/// What gnuplot is given: ASCII text that draws to its standard output. No label can become a command of it. Throws
/// InputError where there is no curve, an option is out of range, or a curve does not know what it is to be drawn by.
std::string plot_script(std::span<const Curve> curves, const PlotOptions& options);

/// The picture: the bytes of a file, or the lines for a terminal. Throws as plot_script, and FileError where gnuplot is
/// not installed or fails, with what it said.
std::string render(std::span<const Curve> curves, const PlotOptions& options);

/// The same as an SVG document, whatever the format in the options.
std::string render_svg(std::span<const Curve> curves, PlotOptions options);

/// Draws to a file in the format of its extension, whatever the one in the options. A failure leaves an older file as
/// it was.
void write_plot(std::span<const Curve> curves, PlotOptions options, const std::filesystem::path& file);

}  // namespace rune::tools
