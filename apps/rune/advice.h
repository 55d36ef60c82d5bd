#pragma once

#include <cstdint>
#include <string>

#include "train/trainer.h"

namespace rune::app {

/// What to consider before training: where model, text and validation split are out of proportion. Empty: nothing.
std::string advice_before(std::int64_t parameters, std::int64_t characters, std::int64_t validation_characters);

/// What the losses of the last report say about the model. Empty without validation.
std::string advice_after(const train::Report& last);

}  // namespace rune::app
