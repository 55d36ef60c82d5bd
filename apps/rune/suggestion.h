#pragma once

#include <rune/options.h>

#include "text/corpus.h"

namespace rune::app {

/// A model and settings for a text and a number of minutes, and what they will cost on this machine.
struct Suggestion {
  ModelOptions model{};
  TrainOptions train{};
  double characters_per_second = 0;  // 0: the text is too short to measure
  double epochs = 0;
  double memory = 0;  // bytes
};

/// Chosen by the size of the text, and measured with a few steps of training: a larger model learns more of a longer
/// text, and one that sees the text less than twice in the time is too large.
Suggestion suggest(const text::Corpus& corpus, double minutes);

}  // namespace rune::app
