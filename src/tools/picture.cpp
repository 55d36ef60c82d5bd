#include "tools/picture.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rune/error.h>

#include "text/utf8.h"

namespace rune::tools {
namespace {

constexpr std::array<Axis, 4> kAxes{Axis::steps, Axis::epochs, Axis::characters, Axis::seconds};
constexpr std::size_t kMostWithTraining = 8;
constexpr double kTiniest = 1e-30;
constexpr double kLargest = 1e30;

// The middle of a long label makes way: names of runs differ at their beginnings and ends.
std::string shortened(const std::string& label) {
  constexpr std::size_t kMost = 32;
  const std::u32string decoded = text::decode_utf8(label, "label");
  if (columns_of(decoded) <= kMost) return label;
  std::u32string begin;
  std::u32string end;
  for (std::size_t i = 0; columns_of(begin) + columns_of(end) + 2 < kMost; ++i) {
    begin += decoded[i];
    end.insert(end.begin(), decoded[decoded.size() - 1 - i]);
  }
  return text::encode_utf8(begin + U'\u2026' + end);
}

bool knows(const Curve& curve, Axis axis) {
  return std::ranges::any_of(curve.points, [&](const CurvePoint& point) { return point.has_loss() && point.at(axis); });
}

std::string known_axes(const Curve& curve) {
  std::vector<std::string_view> names;
  for (const Axis axis : kAxes) {
    if (knows(curve, axis)) names.push_back(model::name_of(axis));
  }
  return names.empty() ? "none of them" : fmt::format("{}", fmt::join(names, ", "));
}

Axis axis_of(std::span<const Curve> curves, std::optional<Axis> wanted) {
  if (wanted) {
    const auto other = std::ranges::find_if_not(curves, [&](const Curve& curve) { return knows(curve, *wanted); });
    if (other == curves.end()) return *wanted;
    throw InputError(fmt::format("expected every curve to say its {}, found that '{}' says {}; draw by what all say",
                                 model::name_of(*wanted), printable(other->label), known_axes(*other)));
  }
  for (const Axis axis : kAxes) {
    if (std::ranges::all_of(curves, [&](const Curve& curve) { return knows(curve, axis); })) return axis;
  }
  std::string found;
  for (const Curve& curve : curves) {
    found += fmt::format("{}'{}' says {}", found.empty() ? "" : ", ", printable(curve.label), known_axes(curve));
  }
  throw InputError(
      fmt::format("expected steps, epochs, characters or seconds that all curves say, found that {}", found));
}

Unit unit_of(Axis axis, double largest) {
  const auto counted = [&](std::string_view title, std::string_view name) -> Unit {
    struct Scale {
      double from;
      double size;
      std::string_view name;
    };
    constexpr std::array<Scale, 3> kScales{{{1e10, 1e9, "billion"}, {1e6, 1e6, "million"}, {1e5, 1e3, "thousand"}}};
    for (const Scale& scale : kScales) {
      if (largest < scale.from) continue;
      return {scale.size, fmt::format("{}, {}s", title, scale.name), fmt::format("{{:.4g}} {} {}", scale.name, name)};
    }
    return {1, std::string(title), fmt::format("{{:.6g}} {}", name)};
  };
  const auto timed = [](double size, std::string_view name) -> Unit {
    return {size, fmt::format("training time, {}", name), fmt::format("{{:.3g}} {}", name)};
  };
  switch (axis) {
    case Axis::steps:
      return counted("steps", "steps");
    case Axis::epochs:
      return {1, "epochs", "epoch {:.4g}"};
    case Axis::characters:
      return counted("characters trained on", "characters");
    case Axis::seconds:
      break;
  }
  constexpr double kMinute = 60;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  if (largest < 3 * kMinute) return timed(1, "seconds");
  if (largest < 3 * kHour) return timed(kMinute, "minutes");
  if (largest < 3 * kDay) return timed(kHour, "hours");
  return timed(kDay, "days");
}

// Without the tiniest numbers, whose ranges gnuplot takes for empty.
double sized(double value) { return std::abs(value) < kTiniest ? 0 : value; }

Line line_of(const Curve& curve, Axis axis, std::optional<double> CurvePoint::*value, double unit, bool log_x,
             bool log_y) {
  Line line;
  for (const CurvePoint& point : curve.points) {
    const auto x = point.at(axis);
    const auto y = point.*value;
    if (x && y && drawable(*x, log_x) && drawable(*y, log_y)) line.push_back({sized(*x) / unit, sized(*y)});
  }
  return line;
}

// More points than a picture has columns are not seen: the lowest and the highest of each stretch stay.
Line thinned(const Line& line) {
  constexpr std::size_t kStretches = 500;
  if (line.size() <= 2 * kStretches) return line;
  Line thin{line.front()};
  const auto lower = [](const Sample& a, const Sample& b) { return a.y < b.y; };
  for (std::size_t i = 0; i < kStretches; ++i) {
    const auto begin = line.begin() + static_cast<std::ptrdiff_t>(line.size() * i / kStretches);
    const auto end = line.begin() + static_cast<std::ptrdiff_t>(line.size() * (i + 1) / kStretches);
    auto [first, second] = std::minmax_element(begin, end, lower);
    if (second < first) std::swap(first, second);
    thin.push_back(*first);
    if (second != first) thin.push_back(*second);
  }
  thin.push_back(line.back());
  return thin;
}

// Places on an axis with a little air on both sides; never so narrow that gnuplot would find it empty.
Range widened(const Range& range, bool log, double below, double above) {
  constexpr double kNarrow = 1e-6;
  constexpr double kZero = 1e-18;
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  const double span = range.high - range.low;
  if (span < (log ? kNarrow : std::max(kNarrow * size, kZero))) {
    const double half = size < kZero ? 1 : 0.05 * (log ? 1 : size);
    return {range.low - half, range.high + half};
  }
  return {range.low - below * span, range.high + above * span};
}

// From the lowest loss to the highest, unless a few high ones, less than a tenth of a line, would press the others
// together: then to a height at which the rest of that line takes two fifths of the panel.
Range loss_range(const std::vector<const Line*>& lines, const PlotOptions& options, double below) {
  constexpr std::size_t kFew = 5;  // points of a line of which none is an exception
  Range range;
  std::vector<std::vector<double>> sorted;
  for (const Line* line : lines) {
    std::vector<double>& values = sorted.emplace_back();
    for (const Sample& sample : *line) values.push_back(on_axis(sample.y, options.log_y));
    std::ranges::sort(values);
    range.low = std::min(range.low, values.front());
  }
  for (const std::vector<double>& values : sorted) {
    const double most = values[(values.size() - 1) * 9 / 10];
    const double reach = most + 1.5 * (most - range.low);
    range.high = std::max(range.high, values.size() < kFew ? values.back() : std::min(values.back(), reach));
  }
  range = widened(range, options.log_y, below, 0.03);
  const Range result{options.min_loss.value_or(off_axis(range.low, options.log_y)),
                     options.max_loss.value_or(off_axis(range.high, options.log_y))};
  if (result.low >= result.high) {
    throw InputError(fmt::format("expected losses to be drawn from a lower to a higher one, found {:.6g} to {:.6g}",
                                 result.low, result.high));
  }
  return result;
}

Range x_range(const std::vector<const Line*>& lines, bool log) {
  Range range;
  for (const Line* line : lines) {
    for (const Sample& sample : *line) range.include(on_axis(sample.x, log));
  }
  const bool from_zero = !log && range.low >= 0 && (range.low <= 0.25 * range.high || range.low == range.high);
  if (from_zero) range.low = 0;
  range = widened(range, log, from_zero ? 0 : 0.02, 0.02);
  return {off_axis(range.low, log), off_axis(range.high, log)};
}

// Learning rates that differ by much get a logarithmic axis, which cuts off what a schedule ends with.
void set_rates(Picture& picture) {
  constexpr double kMuch = 20;
  Range peaks;
  Range all;
  all.include(0);
  for (const DrawnCurve& curve : picture.curves) {
    if (curve.learning_rate.empty()) continue;
    picture.has_rates = true;
    Range rates;
    for (const Sample& sample : curve.learning_rate) rates.include(sample.y);
    all.include(rates.low);
    all.include(rates.high);
    if (rates.high > 0) peaks.include(rates.high);
  }
  picture.log_rate = peaks.high >= kMuch * peaks.low;
  if (picture.log_rate) {
    picture.rate = {0.1 * peaks.low, 1.5 * peaks.high};
  } else {
    const double span = all.high > all.low ? all.high - all.low : 1;
    picture.rate = {all.low < 0 ? all.low - 0.12 * span : 0, all.high + 0.12 * span};
  }
}

DrawnCurve drawn(const Curve& curve, std::size_t style, Axis axis, double unit, const PlotOptions& options) {
  const auto line = [&](std::optional<double> CurvePoint::*value, bool log_y) {
    return thinned(line_of(curve, axis, value, unit, options.log_x, log_y));
  };
  DrawnCurve result;
  result.label = shortened(printable(curve.label));
  result.style = style;
  result.train = line(&CurvePoint::train_loss, options.log_y);
  result.validation = line(&CurvePoint::validation_loss, options.log_y);
  if (options.learning_rate) result.learning_rate = line(&CurvePoint::learning_rate, false);
  if (result.main().empty()) {
    throw InputError(fmt::format("expected '{}' to have losses that can be drawn, found none{}", result.label,
                                 options.log_x || options.log_y ? " above 0, as logarithmic axes need them" : ""));
  }
  result.lowest = *std::ranges::min_element(result.main(), {}, &Sample::y);
  return result;
}

}  // namespace

void Range::include(double value) {
  low = std::min(low, value);
  high = std::max(high, value);
}

bool drawable(double value, bool log) { return std::abs(value) < kLargest && (!log || value > kTiniest); }

std::string printable(const std::string& bytes) {
  std::u32string decoded;
  try {
    decoded = text::decode_utf8(bytes, "label");
  } catch (const InputError&) {
    for (const char c : bytes) decoded += static_cast<unsigned char>(c) < 0x80 ? static_cast<char32_t>(c) : U'\uFFFD';
  }
  std::string out;
  for (const char32_t c : decoded) {
    const bool reorders = (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    const bool no_character = (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
    if (c == U'\n' || c == U'\t') {
      out += ' ';
    } else {
      text::append_utf8(out, reorders || no_character ? U'\uFFFD' : c);
    }
  }
  return text::escape_controls(out);
}

std::size_t columns_of(std::u32string_view text) {
  const auto is_wide = [](char32_t c) {
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFF00 && c <= 0xFF60) || c >= 0x1F300;
  };
  return text.size() + static_cast<std::size_t>(std::ranges::count_if(text, is_wide));
}

std::string loss_text(double loss) {
  return std::abs(loss) < 1e4 ? fmt::format("{:.4f}", loss) : fmt::format("{:.4g}", loss);
}

std::string lowest_text(const DrawnCurve& curve, const Unit& unit) {
  return fmt::format("{} at {}", loss_text(curve.lowest.y), fmt::format(fmt::runtime(unit.place), curve.lowest.x));
}

std::string legend_title(const Picture& picture) {
  const bool all =
      std::ranges::none_of(picture.curves, [](const DrawnCurve& curve) { return curve.validation.empty(); });
  return all ? "lowest validation loss" : "lowest loss";
}

Picture picture_of(std::span<const Curve> curves, const PlotOptions& options) {
  validate(options);
  if (curves.empty()) throw InputError("expected a curve to draw, found none");
  const Axis axis = axis_of(curves, options.by);
  double largest = 0;
  for (const Curve& curve : curves) {
    for (const CurvePoint& point : curve.points) largest = std::max(largest, point.at(axis).value_or(0));
  }

  Picture picture;
  picture.unit = unit_of(axis, largest);
  picture.training_too = curves.size() <= kMostWithTraining;
  for (const Curve& curve : curves) {
    picture.curves.push_back(drawn(curve, picture.curves.size(), axis, picture.unit.size, options));
  }
  if (!options.title.empty()) {
    picture.title = printable(options.title);
  } else if (!picture.several()) {
    picture.title = picture.curves[0].label;
  }

  std::vector<const Line*> lines;
  for (const DrawnCurve& curve : picture.curves) {
    lines.push_back(&curve.main());
    if (picture.training_too && curve.has_both()) lines.push_back(&curve.train);
  }
  picture.x = x_range(lines, options.log_x);
  // The label of the only dot needs a place below it.
  const bool labelled = !picture.several() && options.format != PlotFormat::terminal;
  picture.loss = loss_range(lines, options, labelled ? 0.12 : 0.05);
  for (const Line* line : lines) {
    for (const Sample& sample : *line) picture.highest_loss = std::max(picture.highest_loss, sample.y);
  }
  set_rates(picture);
  std::ranges::stable_sort(picture.curves, {}, [](const DrawnCurve& curve) { return curve.lowest.y; });
  return picture;
}

}  // namespace rune::tools
