#include "tools/script.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rune::tools {
namespace {

// Okabe and Ito's colours, which every kind of colour vision tells apart. Brown and grey stand for their yellow and
// black, which white paper and dark terminals hide.
constexpr std::array<std::uint32_t, 8> kPalette{0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                                0xE69F00, 0x56B4E9, 0x8B5E3C, 0x777777};

// A round step of which up to three reach the height, which is positive.
double round_step(double height) {
  constexpr std::array<double, 4> kSteps{0.5, 1, 2, 5};
  const double power = std::pow(10, std::floor(std::log10(height)));
  const auto fits = [&](double step) { return height < 3 * step * power; };
  const auto* const step = std::ranges::find_if(kSteps, fits);
  return (step == kSteps.end() ? 10 : *step) * power;
}

// On a logarithmic axis gnuplot names powers of ten alone; where there are few of them, what else to name.
std::string log_ticks(const Range& range) {
  std::vector<double> ticks;
  if (range.high < 3 * range.low) {
    const double step = 0.5 * round_step(range.high - range.low);
    for (double k = std::ceil(range.low / step); k * step <= range.high; ++k) ticks.push_back(k * step);
  } else if (range.high < 300 * range.low) {
    const std::vector<double> factors =
        range.high < 20 * range.low ? std::vector<double>{1, 1.5, 2, 3, 4, 5, 6, 8} : std::vector<double>{1, 2, 5};
    const double first = std::floor(std::log10(range.low));
    for (double power = first; power <= first + 3; ++power) {
      for (const double factor : factors) {
        const double tick = factor * std::pow(10, power);
        if (range.low <= tick && tick <= range.high) ticks.push_back(tick);
      }
    }
  }
  return ticks.empty() ? "autofreq" : fmt::format("({:.6g})", fmt::join(ticks, ","));
}

}  // namespace

std::string gnuplot_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view(" _-+.,:;/=()").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out + '"';
}

std::string data_block(std::string_view kind, std::size_t style, const Line& line) {
  std::string out = fmt::format("${}{} << END\n", kind, style);
  for (const Sample& sample : line) fmt::format_to(std::back_inserter(out), "{:.8g} {:.8g}\n", sample.x, sample.y);
  return out + "END\n";
}

std::string plot_command(const std::vector<std::string>& items) {
  return fmt::format("plot {}\n", fmt::join(items, ", \\\n     "));
}

std::string place_command(const Range& columns, const Range& rows) {
  return fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n"
      "set tmargin at screen {:.5f}\n",
      columns.low, columns.high, rows.low, rows.high);
}

std::string axis_command(char axis, const Range& range, bool log) {
  return fmt::format("{0} logscale {1}\nset {1}range [{2:.10g}:{3:.10g}]\nset {1}tics {4}\nset format {1} \"%g\"\n",
                     log ? "set" : "unset", axis, range.low, range.high, log ? log_ticks(range) : "autofreq");
}

std::string rate_axis_command(const Picture& picture) {
  std::string axis = axis_command('y', picture.rate, picture.log_rate);
  if (picture.log_rate || picture.rate.low < 0) return axis;
  return axis + fmt::format("set ytics {:.8g}\n", round_step(picture.rate.high));
}

std::uint32_t color_of(std::size_t style) { return kPalette[style % kPalette.size()]; }

std::string color_argument(std::uint32_t color) { return fmt::format("rgb \"#{:06x}\"", color); }

}  // namespace rune::tools
