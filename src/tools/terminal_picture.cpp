#include "tools/terminal_picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "tools/script.h"

namespace rune::tools {
namespace {

constexpr int kWidth = 80;
constexpr int kHeight = 30;
constexpr int kLeastHeight = 16;     // under a long legend
constexpr int kHeightForRates = 20;  // below it there is no room for the lower panel
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string points_command(std::string_view kind, const DrawnCurve& curve, char mark) {
  return fmt::format("${}{} using 1:2 with points pointtype \"{}\" linecolor {}", kind, curve.style, mark,
                     color_argument(color_of(curve.style)));
}

}  // namespace

TerminalPicture::TerminalPicture(const Picture& picture, const PlotOptions& options)
    : picture_(picture), options_(options), width_(options.width != 0 ? options.width : kWidth) {
  const int height = options.height != 0 ? options.height : kHeight;
  const int legend = static_cast<int>(std::min<std::size_t>(picture.curves.size(), 1000)) + 3;
  height_ = std::max(std::min(height, kLeastHeight), height - legend);
  has_rates_ = picture.has_rates && height_ >= kHeightForRates;
  const double row = 1.0 / height_;
  columns_ = {11.0 / width_, 1 - 3.0 / width_};
  loss_rows_ = {3 * row, 1 - (picture.title.empty() ? 2 : 3) * row};
  if (has_rates_) {
    rate_rows_ = {3 * row, 7 * row};
    loss_rows_.low = 10 * row;
  }
}

char TerminalPicture::letter(const DrawnCurve& curve) const {
  return picture_.several() ? kLetters[curve.style % kLetters.size()] : '*';
}

std::string TerminalPicture::heading(int label, std::string_view text, double row) const {
  return fmt::format("set label {} {} at screen 0.01,{:.5f} left\n", label, gnuplot_text(text), row);
}

std::string TerminalPicture::x_title() const {
  return fmt::format("set xlabel {}\n", gnuplot_text(picture_.unit.title));
}

std::string TerminalPicture::script() const {
  const double row = 1.0 / height_;
  std::string out = fmt::format(
      "set encoding utf8\nset terminal dumb size {},{} nofeed noenhanced {}\nset border 3\nset tics nomirror\n"
      "unset key\nset multiplot\n",
      width_, height_, options_.colors ? "ansi256" : "mono");
  std::vector<std::string> losses;
  std::vector<std::string> rates;
  for (auto curve = picture_.curves.rbegin(); curve != picture_.curves.rend(); ++curve) {
    if (!picture_.several() && curve->has_both()) {
      out += trail("train", *curve, curve->train, loss_rows_, picture_.loss, options_.log_y);
      losses.push_back(points_command("train", *curve, '.'));
    }
    out += trail("loss", *curve, curve->main(), loss_rows_, picture_.loss, options_.log_y);
    losses.push_back(points_command("loss", *curve, letter(*curve)));
    if (!has_rates_ || curve->learning_rate.empty()) continue;
    out += trail("rate", *curve, curve->learning_rate, rate_rows_, picture_.rate, picture_.log_rate);
    rates.push_back(points_command("rate", *curve, letter(*curve)));
  }
  out += place_command(columns_, loss_rows_) + axis_command('x', picture_.x, options_.log_x) +
         axis_command('y', picture_.loss, options_.log_y) +
         heading(1, "loss, nats per character", loss_rows_.high + row);
  if (!picture_.title.empty()) out += heading(2, picture_.title, loss_rows_.high + 2 * row);
  out += has_rates_ ? "set format x \"\"\n" : x_title();
  out += plot_command(losses);
  if (has_rates_) {
    out += "unset label\n" + place_command(columns_, rate_rows_) + rate_axis_command(picture_) +
           heading(1, "learning rate", rate_rows_.high + row) + "set format x \"%g\"\n" + x_title() +
           plot_command(rates);
  }
  return out + "unset multiplot\n";
}

std::string TerminalPicture::trail(std::string_view kind, const DrawnCurve& curve, const Line& line, const Range& rows,
                                   const Range& range, bool log) const {
  const bool log_x = options_.log_x;
  const double height = (rows.high - rows.low) * height_;
  const double left = on_axis(picture_.x.low, log_x);
  const double column = (on_axis(picture_.x.high, log_x) - left) / ((columns_.high - columns_.low) * width_);
  const double bottom = on_axis(range.low, log);
  const double row = (on_axis(range.high, log) - bottom) / height;
  const auto cell_of = [&](const Sample& sample) -> Sample {
    const double y = drawable(sample.y, log) ? sample.y : range.low;
    return {(on_axis(sample.x, log_x) - left) / column, (on_axis(y, log) - bottom) / row};
  };

  Line marks;
  Sample begin{};
  for (std::size_t i = 0; i < line.size(); ++i) {
    const Sample end = cell_of(line[i]);
    if (i == 0) begin = end;
    // The part of the way that lies within the panel.
    double from = 0;
    double to = 1;
    if (begin.y != end.y) {
      const double at_bottom = -begin.y / (end.y - begin.y);
      const double at_top = (height - begin.y) / (end.y - begin.y);
      from = std::max(from, std::min(at_bottom, at_top));
      to = std::min(to, std::max(at_bottom, at_top));
    }
    const double cells = (to - from) * std::max(std::abs(end.x - begin.x), std::abs(end.y - begin.y));
    const int count = static_cast<int>(std::clamp(std::ceil(cells), 1.0, 1e4));
    for (int k = 0; k <= count && from <= to; ++k) {
      const double t = from + (to - from) * k / count;
      marks.push_back({off_axis(left + column * (begin.x + t * (end.x - begin.x)), log_x),
                       off_axis(bottom + row * (begin.y + t * (end.y - begin.y)), log)});
    }
    begin = end;
  }
  return data_block(kind, curve.style, marks);
}

std::string TerminalPicture::with_legend(std::string_view drawn) const {
  std::string out;
  while (!drawn.empty()) {
    const std::size_t end = std::min(drawn.find('\n'), drawn.size());
    std::string_view line = drawn.substr(0, end);
    while (line.starts_with('\f')) line.remove_prefix(1);
    const std::size_t last = line.find_last_not_of(" \r");
    out += line.substr(0, last == std::string_view::npos ? 0 : last + 1);
    out += '\n';
    drawn.remove_prefix(std::min(end + 1, drawn.size()));
  }
  out.erase(0, out.find_first_not_of('\n'));
  while (out.ends_with("\n\n")) out.pop_back();
  return out + legend();
}

std::string TerminalPicture::painted(std::string_view text, const DrawnCurve& curve) const {
  if (!options_.colors) return std::string(text);
  // The nearest of the 6 x 6 x 6 colours from 16 on, as gnuplot has it.
  const std::uint32_t color = color_of(curve.style);
  const auto level = [&](unsigned shift) { return ((color >> shift & 0xFFU) * 5 + 127) / 255; };
  return fmt::format("\x1b[38;5;{}m{}\x1b[0m", 16 + 36 * level(16) + 6 * level(8) + level(0), text);
}

std::string TerminalPicture::legend() const {
  std::string out = "\n";
  if (picture_.several()) {
    out += fmt::format("    {}\n", legend_title(picture_));
    for (const DrawnCurve& curve : picture_.curves) {
      out += fmt::format("  {} {}  {}{}\n", painted(std::string(1, letter(curve)), curve), loss_text(curve.lowest.y),
                         curve.label, curve.validation.empty() ? " (training)" : "");
    }
  } else {
    const DrawnCurve& curve = picture_.curves[0];
    out += fmt::format("  {} {} loss, lowest {}\n", painted("*", curve),
                       curve.validation.empty() ? "training" : "validation", lowest_text(curve, picture_.unit));
    if (curve.has_both()) {
      out += fmt::format("  {} training loss, at the end {}\n", painted(".", curve), loss_text(curve.train.back().y));
    }
  }
  if (picture_.cuts_off()) {
    out += fmt::format("  losses above {:.3g} are cut off; the highest is {:.4g}\n", picture_.loss.high,
                       picture_.highest_loss);
  }
  return out;
}

}  // namespace rune::tools
