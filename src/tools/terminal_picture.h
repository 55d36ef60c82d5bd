#pragma once

#include <string>
#include <string_view>

#include "tools/picture.h"

namespace rune::tools {

/// A picture as gnuplot draws it of characters: each curve is a trail of its letter, and the legend stands below.
/// Picture and options must outlive it.
class TerminalPicture {
 public:
  TerminalPicture(const Picture& picture, const PlotOptions& options);

  [[nodiscard]] std::string script() const;
  /// The lines that gnuplot made of the script, without what it fills them up with, and the legend.
  [[nodiscard]] std::string with_legend(std::string_view drawn) const;

 private:
  [[nodiscard]] char letter(const DrawnCurve& curve) const;
  [[nodiscard]] std::string heading(int label, std::string_view text, double row) const;
  [[nodiscard]] std::string x_title() const;
  // Data with a point for each character that a line crosses.
  [[nodiscard]] std::string trail(std::string_view kind, const DrawnCurve& curve, const Line& line, const Range& rows,
                                  const Range& range, bool log) const;
  [[nodiscard]] std::string painted(std::string_view text, const DrawnCurve& curve) const;
  [[nodiscard]] std::string legend() const;

  const Picture& picture_;
  const PlotOptions& options_;
  int width_;
  int height_;  // without the legend
  bool has_rates_ = false;
  // Where the panels lie, in fractions of the picture.
  Range columns_;
  Range loss_rows_;
  Range rate_rows_;
};

}  // namespace rune::tools
