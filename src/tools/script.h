#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/picture.h"

/// The commands of gnuplot that pictures are made of.
namespace rune::tools {

/// A text as an argument. Whatever could mean something to gnuplot stands as its number.
std::string gnuplot_text(std::string_view text);

/// Named data, "$kind3".
std::string data_block(std::string_view kind, std::size_t style, const Line& line);
std::string plot_command(const std::vector<std::string>& items);

/// Where the next plot lies: fractions of the picture from its left lower corner.
std::string place_command(const Range& columns, const Range& rows);
/// Range, scale and ticks; `axis` is x or y.
std::string axis_command(char axis, const Range& range, bool log);
/// The vertical axis of the learning rates, with few ticks.
std::string rate_axis_command(const Picture& picture);

/// Red, green and blue, a byte each.
std::uint32_t color_of(std::size_t style);
/// "rgb "#0072b2"".
std::string color_argument(std::uint32_t color);

}  // namespace rune::tools
