#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tools/curves.h"
#include "tools/plot.h"

/// What a plot shows, whoever draws it: lines in the units of the axes, ranges and texts.
namespace rune::tools {

struct Sample {
  double x;
  double y;
};
using Line = std::vector<Sample>;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value);
};

/// Of the horizontal axis.
struct Unit {
  double size = 1;    // in steps, epochs, characters or seconds
  std::string title;  // of the axis
  std::string place;  // a format that says where on the axis something is
};

struct DrawnCurve {
  std::string label;      // printable and not too long
  std::size_t style = 0;  // its place among the curves that were given
  Line train;
  Line validation;
  Line learning_rate;
  Sample lowest{};  // of main()

  [[nodiscard]] const Line& main() const { return validation.empty() ? train : validation; }
  [[nodiscard]] bool has_both() const { return !validation.empty() && !train.empty(); }
};

struct Picture {
  std::string title;
  Unit unit;
  std::vector<DrawnCurve> curves;  // the lowest loss first
  bool training_too = false;       // the training losses of curves that have validation losses
  Range x;
  Range loss;
  double highest_loss = 0;  // also where the range ends below it
  Range rate;
  bool log_rate = false;
  bool has_rates = false;

  [[nodiscard]] bool several() const { return curves.size() > 1; }
  [[nodiscard]] bool cuts_off() const { return highest_loss > loss.high; }
};

/// Throws as plot_script.
Picture picture_of(std::span<const Curve> curves, const PlotOptions& options);

/// Any bytes as text of one line that can stand in a document and drives no terminal; valid UTF-8.
std::string printable(const std::string& bytes);

/// About how many letters wide a text is: Chinese, Japanese and Korean characters take two.
std::size_t columns_of(std::u32string_view text);

std::string loss_text(double loss);
/// "1.2345 at 2000 steps".
std::string lowest_text(const DrawnCurve& curve, const Unit& unit);
std::string legend_title(const Picture& picture);

/// From values to their places on an axis, and back.
inline double on_axis(double value, bool log) { return log ? std::log10(value) : value; }
inline double off_axis(double place, bool log) { return log ? std::pow(10, place) : place; }

/// Whether gnuplot can scale a value without overflow.
bool drawable(double value, bool log);

}  // namespace rune::tools
