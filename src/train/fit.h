#pragma once

#include <rune/options.h>

#include "text/corpus.h"

namespace rune::train {

/// The options with the batch size and sequence length that a text has room for: as they are where it fills one batch
/// of them, else several streams, or one window, of what there is. Throws InputError for a text of fewer than two
/// tokens.
TrainOptions fitted(const TrainOptions& options, const text::Corpus& corpus);

}  // namespace rune::train
