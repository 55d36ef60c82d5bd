#include "tools/plot.h"

#include <cstddef>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"
#include "tools/gnuplot.h"
#include "tools/graphic.h"
#include "tools/picture.h"
#include "tools/terminal_picture.h"

namespace rune::tools {
namespace {

void expect_in_range(std::string_view name, int value, int least, int most) {
  if (value == 0 || (value >= least && value <= most)) return;
  throw InputError(fmt::format("expected the {} of the picture to be {} to {}, found {}", name, least, most, value));
}

// Unlike the viewer of an SVG document, gnuplot draws a PNG with the fonts of this machine.
std::string render_png(std::vector<Curve> curves, PlotOptions options) {
  std::vector<std::string> texts{printable(options.title)};
  for (const Curve& curve : curves) texts.push_back(printable(curve.label));
  replace_missing_glyphs(texts);
  options.title = texts[0];
  for (std::size_t i = 0; i < curves.size(); ++i) curves[i].label = texts[i + 1];
  return run_gnuplot(plot_script(curves, options));
}

}  // namespace

void validate(const PlotOptions& options) {
  const bool terminal = options.format == PlotFormat::terminal;
  expect_in_range("width", options.width, terminal ? 40 : 240, terminal ? 1000 : 16000);
  expect_in_range("height", options.height, terminal ? 12 : 150, terminal ? 1000 : 16000);
  for (const auto& bound : {options.min_loss, options.max_loss}) {
    if (bound && !drawable(*bound, options.log_y)) {
      throw InputError(fmt::format("expected a bound of the losses that {} axis can show, found {}",
                                   options.log_y ? "a logarithmic" : "an", *bound));
    }
  }
  if (options.min_loss && options.max_loss && *options.min_loss >= *options.max_loss) {
    throw InputError(fmt::format("expected losses to be drawn from a lower to a higher one, found {:.6g} to {:.6g}",
                                 *options.min_loss, *options.max_loss));
  }
}

PlotFormat plot_format_of(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".svg") return PlotFormat::svg;
  if (extension == ".png") return PlotFormat::png;
  throw InputError(fmt::format("expected a file that ends in .svg or .png, found '{}'", file.string()));
}

std::string plot_script(std::span<const Curve> curves, const PlotOptions& options) {
  const Picture picture = picture_of(curves, options);
  if (options.format == PlotFormat::terminal) return TerminalPicture(picture, options).script();
  return Graphic(picture, options).script();
}

std::string render(std::span<const Curve> curves, const PlotOptions& options) {
  if (options.format == PlotFormat::png) return render_png({curves.begin(), curves.end()}, options);
  const Picture picture = picture_of(curves, options);
  if (options.format == PlotFormat::terminal) {
    const TerminalPicture terminal(picture, options);
    return terminal.with_legend(run_gnuplot(terminal.script()));
  }
  const Graphic graphic(picture, options);
  return graphic.with_names(run_gnuplot(graphic.script()));
}

std::string render_svg(std::span<const Curve> curves, PlotOptions options) {
  options.format = PlotFormat::svg;
  return render(curves, options);
}

void write_plot(std::span<const Curve> curves, PlotOptions options, const std::filesystem::path& file) {
  options.format = plot_format_of(file);
  write_file_atomically(file, render(curves, options));
}

}  // namespace rune::tools
