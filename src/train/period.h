#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::train {

/// Of any training; every whole number up to here is a double.
inline constexpr std::int64_t kMostSteps = 1'000'000'000'000'000;

/// "500" steps (a whole number), "2e" or "0.5e" epochs, "10m" minutes. Throws InputError naming the option and the
/// text.
Period parse_period(std::string_view text, std::string_view option);
/// The shortest text that parse_period turns into the same period.
std::string to_string(const Period& period);

}  // namespace rune::train
