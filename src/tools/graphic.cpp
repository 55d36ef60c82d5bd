#include "tools/graphic.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "text/utf8.h"
#include "tools/script.h"

namespace rune::tools {
namespace {

constexpr double kWidth = 960;
constexpr double kHeight = 600;
constexpr std::string_view kInk = "rgb \"#222222\"";
// For every eight curves more, which have the colours of the first eight.
constexpr std::array<std::string_view, 4> kDashes{"solid", "(8,3)", "(2,2)", "(8,3,2,3)"};
// gnuplot calls its plots losses_plot_1a, losses_plot_2a, losses_plot_1b, ...
constexpr std::string_view kName = "losses";

// Halfway to white.
std::uint32_t pale(std::uint32_t color) { return ((color >> 1U) & 0x7F7F7FU) + 0x808080U; }

std::string_view dash_of(std::size_t style) { return kDashes[style / 8 % kDashes.size()]; }

std::string legend_entry(const DrawnCurve& curve) {
  return fmt::format("{}  {}{}", loss_text(curve.lowest.y), curve.label, curve.validation.empty() ? " (training)" : "");
}

std::string line_command(std::string_view kind, const DrawnCurve& curve, const Line& line, double width,
                         std::uint32_t color) {
  constexpr std::size_t kFew = 20;  // points that are marked
  return fmt::format("${}{} using 1:2 with {} linewidth {} linecolor {} dashtype {} notitle", kind, curve.style,
                     line.size() <= kFew ? "linespoints pointtype 7 pointsize 0.35" : "lines", width,
                     color_argument(color), dash_of(curve.style));
}

// A line of the legend and no more.
std::string key_command(double width, std::uint32_t color, std::string_view dash, std::string_view text) {
  return fmt::format("NaN with lines linewidth {} linecolor {} dashtype {} title {}", width, color_argument(color),
                     dash, gnuplot_text(text));
}

template <class Items>
std::string plot_items(const Items& items) {
  std::vector<std::string> commands;
  commands.reserve(items.size());
  for (const auto& item : items) commands.push_back(item.command);
  return plot_command(commands);
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Graphic::Graphic(const Picture& picture, const PlotOptions& options) : picture_(picture), options_(options) {
  const int detail = is_png() ? 2 : 1;
  width_ = options.width != 0 ? options.width : detail * static_cast<int>(kWidth);
  height_ = options.height != 0 ? options.height : detail * static_cast<int>(kHeight);
  scale_ = std::min(width_ / kWidth, height_ / kHeight);
  columns_ = {across(84), 1 - across(picture.several() ? legend_width() : 24)};
  loss_rows_ = {up(58), 1 - up(picture.title.empty() ? 22 : 46)};
  if (picture.has_rates) {
    rate_rows_ = {loss_rows_.low, loss_rows_.low + 0.2 * (loss_rows_.high - loss_rows_.low)};
    loss_rows_.low = rate_rows_.high + up(20);
  }
}

// PNG counts in points of 4/3 pixels.
double Graphic::font(double size) const { return size * scale_ * (is_png() ? 0.75 : 1); }

double Graphic::legend_width() const {
  constexpr double kLetter = 7.2;
  constexpr double kSampleAndMargins = 60;
  std::size_t letters = legend_title(picture_).size();
  for (const DrawnCurve& curve : picture_.curves) {
    letters = std::max(letters, columns_of(text::decode_utf8(legend_entry(curve), "label")));
  }
  return std::min(kLetter * static_cast<double>(letters) + kSampleAndMargins, 0.45 * width_ / scale_);
}

std::string Graphic::script() const {
  std::string out = setup() + data() + "set multiplot\n" + loss_panel();
  if (picture_.has_rates) out += rate_panel();
  if (picture_.several()) out += legend_panel();
  return out + "unset multiplot\n";
}

std::string Graphic::setup() const {
  return fmt::format(
             "set encoding utf8\nset terminal {} size {},{} noenhanced font \"{},{:.4g}\" linewidth {:.4g} background "
             "rgb \"#ffffff\"{}\n",
             is_png() ? "pngcairo" : "svg", width_, height_, is_png() ? "sans" : "sans-serif", font(13), scale_,
             is_png() ? "" : fmt::format(" name \"{}\"", kName)) +
         "set style textbox opaque noborder fillcolor rgb \"#ffffff\" margins 0.4, 0.4\n"
         "set border 3 linewidth 1 linecolor rgb \"#999999\"\n"
         "set tics nomirror out scale 0.5 textcolor rgb \"#444444\"\n"
         "set grid xtics ytics linetype 1 linewidth 0.7 linecolor rgb \"#e4e4e4\"\n"
         "set clip two\n";
}

std::string Graphic::data() const {
  std::string out;
  for (const DrawnCurve& curve : picture_.curves) {
    if (!curve.validation.empty()) out += data_block("validation", curve.style, curve.validation);
    if (curve.validation.empty() || (picture_.training_too && curve.has_both())) {
      out += data_block("train", curve.style, curve.train);
    }
    if (!curve.learning_rate.empty()) out += data_block("rate", curve.style, curve.learning_rate);
  }
  out += "$lowest << END\n";
  for (const DrawnCurve& curve : picture_.curves) {
    out += fmt::format("{:.8g} {:.8g} {}\n", curve.lowest.x, curve.lowest.y, color_of(curve.style));
  }
  return out + "END\n";
}

std::string Graphic::label(int number, std::string_view text, double x, double y, double size,
                           std::string_view more) const {
  return fmt::format("set label {} {} at screen {:.5f},{:.5f} font \",{:.4g}\" {}\n", number, gnuplot_text(text), x, y,
                     font(size), more);
}

std::string Graphic::x_title() const {
  return label(1, picture_.unit.title, (columns_.low + columns_.high) / 2, up(16), 13,
               fmt::format("center textcolor {}", kInk));
}

std::string Graphic::y_title(std::string_view text, const Range& rows, double size) const {
  return label(2, text, across(18), (rows.low + rows.high) / 2, size,
               fmt::format("center rotate by 90 textcolor {}", kInk));
}

// The spacings make lines of the same height in both.
std::string Graphic::key_look() const {
  return fmt::format("reverse Left samplen 2 spacing {} font \",{:.4g}\" textcolor {}", is_png() ? 1.25 : 0.97,
                     font(12), kInk);
}

std::string Graphic::loss_panel() const {
  std::string out = place_command(columns_, loss_rows_) + axis_command('x', picture_.x, options_.log_x) +
                    axis_command('y', picture_.loss, options_.log_y) +
                    y_title("loss, nats per character", loss_rows_, 13);
  out += picture_.has_rates ? "set format x \"\"\n" : x_title();
  if (!picture_.title.empty()) {
    out += label(3, picture_.title, columns_.low, 1 - up(24), 15, fmt::format("left textcolor {}", kInk));
  }
  if (picture_.cuts_off()) {
    out += label(4, fmt::format("\u2191 up to {:.4g}", picture_.highest_loss), columns_.low + across(10),
                 loss_rows_.high - up(12), 11, "left textcolor rgb \"#888888\"");
  }
  if (picture_.several()) {
    out += "unset key\n";
  } else {
    out += fmt::format("set key at graph 0.99,0.98 right top {}\n{}", key_look(), lowest_label());
  }
  return out + plot_items(loss_items());
}

// Below the dot, where the curve itself is not; above it at the bottom of the panel.
std::string Graphic::lowest_label() const {
  const DrawnCurve& curve = picture_.curves[0];
  const auto part = [](double value, const Range& range, bool log) {
    return (on_axis(value, log) - on_axis(range.low, log)) / (on_axis(range.high, log) - on_axis(range.low, log));
  };
  const bool is_right = part(curve.lowest.x, picture_.x, options_.log_x) > 0.5;
  const bool is_high = part(curve.lowest.y, picture_.loss, options_.log_y) > 0.08;
  return fmt::format("set label 5 {} at first {:.8g},{:.8g} {} offset character {},{} boxed front textcolor {}\n",
                     gnuplot_text(lowest_text(curve, picture_.unit)), curve.lowest.x, curve.lowest.y,
                     is_right ? "right" : "left", is_right ? 0.5 : -0.5, is_high ? -1.3 : 1.8,
                     color_argument(color_of(curve.style)));
}

std::vector<Graphic::Item> Graphic::loss_items() const {
  std::vector<Item> items;
  if (!picture_.several()) {
    const DrawnCurve& curve = picture_.curves[0];
    if (!curve.validation.empty()) items.push_back({key_command(2, color_of(0), "solid", "validation"), ""});
    if (!curve.train.empty()) {
      items.push_back({curve.has_both() ? key_command(1.1, pale(color_of(0)), "solid", "training")
                                        : key_command(2, color_of(0), "solid", "training"),
                       ""});
    }
  }
  // The best curves lie on top.
  for (auto curve = picture_.curves.rbegin(); picture_.training_too && curve != picture_.curves.rend(); ++curve) {
    if (!curve->has_both()) continue;
    items.push_back(
        {line_command("train", *curve, curve->train, 1.1, pale(color_of(curve->style))), curve->label + ", training"});
  }
  for (auto curve = picture_.curves.rbegin(); curve != picture_.curves.rend(); ++curve) {
    const std::string_view kind = curve->validation.empty() ? "train" : "validation";
    items.push_back({line_command(kind, *curve, curve->main(), 2, color_of(curve->style)),
                     curve->label + (curve->validation.empty() ? ", training" : ", validation")});
  }
  const double dot = (picture_.several() ? 0.6 : 0.95) * (is_png() ? scale_ : 1);
  items.push_back({fmt::format("$lowest using 1:2 with points pointtype 7 pointsize {:.3g} linecolor rgb \"#ffffff\" "
                               "notitle",
                               1.4 * dot),
                   ""});
  items.push_back({fmt::format("$lowest using 1:2:3 with points pointtype 7 pointsize {:.3g} linecolor rgb variable "
                               "notitle",
                               dot),
                   ""});
  return items;
}

std::string Graphic::rate_panel() const {
  return "unset label\nunset key\n" + place_command(columns_, rate_rows_) + rate_axis_command(picture_) +
         fmt::format("set format x \"%g\"\nset ytics font \",{:.4g}\"\n", font(11)) + x_title() +
         y_title("learning rate", rate_rows_, 12) + plot_items(rate_items());
}

std::vector<Graphic::Item> Graphic::rate_items() const {
  std::vector<Item> items;
  for (auto curve = picture_.curves.rbegin(); curve != picture_.curves.rend(); ++curve) {
    if (curve->learning_rate.empty()) continue;
    items.push_back({line_command("rate", *curve, curve->learning_rate, 1.3, color_of(curve->style)), curve->label});
  }
  return items;
}

// A plot of nothing but its legend, so that it has the whole height.
std::string Graphic::legend_panel() const {
  const double left = columns_.high + across(18);
  const double top = loss_rows_.high + up(8);
  return "unset label\nunset border\nunset tics\nunset grid\n" + place_command({left, 1}, {up(6), top}) +
         fmt::format("set key at screen {:.5f},{:.5f} left top vertical maxcols 1 {} title {} left\n", left, top,
                     key_look(), gnuplot_text(legend_title(picture_))) +
         plot_items(legend_items());
}

std::vector<Graphic::Item> Graphic::legend_items() const {
  constexpr double kRow = 18;
  constexpr double kOtherRows = 5;  // title, and what stands below the curves
  const double rows = (loss_rows_.high - up(6)) / up(kRow) - kOtherRows;
  const std::size_t listed = std::min(picture_.curves.size(), static_cast<std::size_t>(std::max(1.0, rows)));
  std::vector<Item> items;
  for (std::size_t i = 0; i < listed; ++i) {
    const DrawnCurve& curve = picture_.curves[i];
    items.push_back({key_command(2, color_of(curve.style), dash_of(curve.style), legend_entry(curve)), ""});
  }
  constexpr std::uint32_t kNothing = 0xFFFFFF;
  if (listed < picture_.curves.size()) {
    items.push_back(
        {key_command(1, kNothing, "solid", fmt::format("and {} more", picture_.curves.size() - listed)), ""});
  }
  if (picture_.training_too && std::ranges::any_of(picture_.curves, &DrawnCurve::has_both)) {
    items.push_back({key_command(1, kNothing, "solid", " "), ""});
    items.push_back({key_command(2, 0x777777, "solid", "thick: validation"), ""});
    items.push_back({key_command(1.1, 0xBBBBBB, "solid", "thin: training"), ""});
  }
  return items;
}

std::string Graphic::with_names(std::string_view svg) const {
  std::vector<Item> items = loss_items();
  if (picture_.has_rates) std::ranges::copy(rate_items(), std::back_inserter(items));
  if (picture_.several()) std::ranges::copy(legend_items(), std::back_inserter(items));
  const std::string begin = fmt::format("<title>{}_plot_", kName);
  constexpr std::string_view kEnd = "</title>";
  std::string out;
  for (const Item& item : items) {
    const std::size_t at = svg.find(begin);
    const std::size_t after = svg.find(kEnd, at);
    if (at == std::string_view::npos || after == std::string_view::npos) break;
    out += svg.substr(0, at);
    if (!item.name.empty()) out += fmt::format("<title>{}</title>", xml_text(item.name));
    svg.remove_prefix(after + kEnd.size());
  }
  return out.append(svg);
}

}  // namespace rune::tools
