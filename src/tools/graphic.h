#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/picture.h"

namespace rune::tools {

/// A picture as gnuplot draws it into an SVG document or a PNG: the losses, the learning rates below, and beside them
/// the legend if there are several curves. Layout and letters are those of 960 x 600, grown to the size wanted. Picture
/// and options must outlive it.
class Graphic {
 public:
  Graphic(const Picture& picture, const PlotOptions& options);

  [[nodiscard]] std::string script() const;
  /// The SVG document that gnuplot made of the script, with names of curves where gnuplot numbers its plots: viewers
  /// show them beside the pointer.
  [[nodiscard]] std::string with_names(std::string_view svg) const;

 private:
  // A line or the dots of a plot.
  struct Item {
    std::string command;
    std::string name;
  };

  // Fractions of the picture from lengths at 960 x 600.
  [[nodiscard]] double across(double length) const { return length * scale_ / width_; }
  [[nodiscard]] double up(double length) const { return length * scale_ / height_; }
  // What gnuplot calls a font of this size.
  [[nodiscard]] double font(double size) const;
  [[nodiscard]] bool is_png() const { return options_.format == PlotFormat::png; }

  [[nodiscard]] double legend_width() const;
  [[nodiscard]] std::string label(int number, std::string_view text, double x, double y, double size,
                                  std::string_view more) const;
  [[nodiscard]] std::string x_title() const;
  [[nodiscard]] std::string y_title(std::string_view text, const Range& rows, double size) const;
  [[nodiscard]] std::string key_look() const;

  [[nodiscard]] std::string setup() const;
  [[nodiscard]] std::string data() const;
  [[nodiscard]] std::string loss_panel() const;
  [[nodiscard]] std::string lowest_label() const;
  [[nodiscard]] std::string rate_panel() const;
  [[nodiscard]] std::string legend_panel() const;
  [[nodiscard]] std::vector<Item> loss_items() const;
  [[nodiscard]] std::vector<Item> rate_items() const;
  [[nodiscard]] std::vector<Item> legend_items() const;

  const Picture& picture_;
  const PlotOptions& options_;
  int width_;
  int height_;
  double scale_ = 1;
  // Where the panels lie, in fractions of the picture.
  Range columns_;
  Range loss_rows_;
  Range rate_rows_;
};

}  // namespace rune::tools
