#pragma once

#include <rune/options.h>

#include "command_line.h"

/// The options of a text that several commands have in common.
namespace rune::app {

/// How files are found and decoded.
void add_reading_options(CommandLine& line, TextOptions& text);
/// What a token stands for, and which tokens there are.
void add_unit_options(CommandLine& line, TextOptions& text);
/// What a record is, and which are left out.
void add_record_options(CommandLine& line, TextOptions& text);

}  // namespace rune::app
