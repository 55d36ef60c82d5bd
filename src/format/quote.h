#pragma once

#include <string>
#include <string_view>

namespace rune::format {

/// A string from a file for a message: in quotes, everything but printable ASCII escaped.
std::string quote(std::string_view text);

}  // namespace rune::format
