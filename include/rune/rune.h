#pragma once

/// Character-level recurrent language models on a CPU: read a text, learn to predict its next character, write new
/// text.
///
///   Corpus ─► Trainer ─► Model ─► Generator
///
/// Nothing here prints or ends the process; errors are the exceptions of rune/error.h and std::bad_alloc.

#include <rune/corpus.h>     // IWYU pragma: export
#include <rune/error.h>      // IWYU pragma: export
#include <rune/generator.h>  // IWYU pragma: export
#include <rune/model.h>      // IWYU pragma: export
#include <rune/options.h>    // IWYU pragma: export
#include <rune/trainer.h>    // IWYU pragma: export
