#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "text/corpus.h"

namespace rune::app {

/// What is not plain about how a text was read: encodings, mistakes, line ends, units that became <unk>, what is on
/// both sides of the split. Whole lines; empty where there is nothing to say.
std::string reading_notes(const text::Corpus& corpus);

/// Shows on a terminal how far the reading of a large text has come; empty where nobody would see it.
std::function<void(double)> reading_progress(bool quiet);

/// "characters", "words".
std::string_view units_name(Unit unit);

}  // namespace rune::app
