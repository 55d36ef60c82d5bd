#pragma once

#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::train {

/// "500" steps (a whole number), "2e" or "0.5e" epochs, "10m" minutes. Throws InputError naming the option and the
/// text.
Period parse_period(std::string_view text, std::string_view option);
/// The shortest text that parse_period turns into the same period.
std::string to_string(const Period& period);

}  // namespace rune::train
