#pragma once

#include <filesystem>
#include <string>

namespace rune::app {

/// All of standard input.
std::string standard_input();

/// Copies all of it to a file, as a whole or not at all, without holding it in memory.
void keep_standard_input(const std::filesystem::path& path);

}  // namespace rune::app
