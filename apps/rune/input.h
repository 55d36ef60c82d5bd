#pragma once

#include <string>

namespace rune::app {

/// All of standard input.
std::string standard_input();

}  // namespace rune::app
