#pragma once

#include "text/corpus.h"
#include "tools/plan.h"

namespace rune::app {

/// What `rune train` would do with a text in a number of minutes, and what that costs on this machine.
struct Suggestion {
  tools::TrainingPlan plan;
  double memory = 0;  // bytes
};

Suggestion suggest(const text::Corpus& corpus, double minutes);

}  // namespace rune::app
