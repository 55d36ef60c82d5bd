#pragma once

#include <memory>

#include <rune/model.h>
#include "model/model.h"

namespace rune {

/// Shared by a Model and the trainers that work on it. The weights are never changed, only replaced, so that whoever
/// holds them may go on using them.
struct Model::Parts {
  ModelOptions options;
  text::Vocabulary vocabulary;
  std::shared_ptr<const model::Model> weights;
};

}  // namespace rune
