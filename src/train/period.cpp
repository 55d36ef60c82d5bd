#include "train/period.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <rune/error.h>

namespace rune::train {

Period parse_period(std::string_view text, std::string_view option) {
  Period period;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, period.value, std::chars_format::fixed);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (unit == "e") period.unit = Period::Unit::epochs;
  if (unit == "m") period.unit = Period::Unit::minutes;
  const bool whole = period.unit != Period::Unit::steps || (unit.empty() && std::floor(period.value) == period.value);
  if (error != std::errc() || !whole || !(period.value >= 0) || std::signbit(period.value) ||
      period.value > static_cast<double>(kMostSteps)) {
    throw InputError(fmt::format(
        "expected {} to be a whole number of steps (500), or epochs (2e) or minutes (10m), found '{}'", option, text));
  }
  return period;
}

std::string to_string(const Period& period) {
  std::array<char, 400> digits;  // the longest: 5e-324 without an exponent
  const auto result =
      std::to_chars(digits.data(), digits.data() + digits.size(), period.value, std::chars_format::fixed);
  std::string text(digits.data(), result.ptr);
  if (period.unit == Period::Unit::epochs) text += 'e';
  if (period.unit == Period::Unit::minutes) text += 'm';
  return text;
}

}  // namespace rune::train
