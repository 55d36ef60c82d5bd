#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "model/network.h"

namespace rune::app {

/// A table of the layers with their sizes and parameters, and the total.
std::string layer_table(const model::Network& network);

/// Entries of an alphabet in a row: characters, control characters escaped, and symbols by name.
std::string entries_text(std::u32string_view entries);

/// Bytes that training a model takes, to about a fifth: weights, gradients, moments, activations and text.
double training_memory(const model::Network& network, const TrainOptions& options, std::int64_t characters);

}  // namespace rune::app
