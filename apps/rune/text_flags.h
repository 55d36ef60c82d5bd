#pragma once

#include <rune/options.h>

#include "command_line.h"
#include "text/corpus_cache.h"

/// The options of a text that several commands have in common.
namespace rune::app {

/// How files are found and decoded.
void add_reading_options(CommandLine& line, TextOptions& text);
/// What a token stands for, and which tokens there are.
void add_unit_options(CommandLine& line, TextOptions& text);
/// What a record is, and which are left out.
void add_record_options(CommandLine& line, TextOptions& text);

/// Whether training reads the text through a file of the cache.
void add_cache_option(CommandLine& line, text::Cache& cache);

}  // namespace rune::app
