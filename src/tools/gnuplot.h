#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rune::tools {

/// Runs gnuplot on a script, without the user's settings, and returns what it writes to its standard output. Throws
/// FileError where it is not installed, with the command that installs it, or where it fails, with what it said.
std::string run_gnuplot(std::string_view script);

/// Puts U+FFFD for the characters that no installed font has: in a PNG gnuplot would draw them many times their size.
/// The texts are valid UTF-8.
void replace_missing_glyphs(std::span<std::string> texts);

}  // namespace rune::tools
