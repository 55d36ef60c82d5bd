#pragma once

#include <cstdint>
#include <string>

#include <rune/options.h>

#include "model/network.h"
#include "text/corpus.h"

namespace rune::app {

/// A table of the layers with their sizes and parameters, and the total.
std::string layer_table(const model::Network& network);

/// Bytes that training a model takes, to about a fifth: weights, gradients, moments, activations and text.
double training_memory(const model::Network& network, const TrainOptions& options, const text::Corpus& corpus);

}  // namespace rune::app
