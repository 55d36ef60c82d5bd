#include "input.h"

#include <iostream>
#include <iterator>

namespace rune::app {

std::string standard_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

}  // namespace rune::app
