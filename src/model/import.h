#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "model/model.h"

namespace rune::model {

/// What a foreign file does not say, or says in more than one way.
struct ImportOptions {
  std::optional<text::Vocabulary> alphabet{};      // unset: the list `tokens` in the file, or the only one that fits
  std::optional<Cell> cell{};                      // unset: by the shapes of the weights
  Nonlinearity nonlinearity = Nonlinearity::tanh;  // `rnn` only
  std::string recurrent{};                         // what stands before weight_ih_l0; empty: the only one there is
  std::string embedding{};                         // name of the embedding's weights; empty: by their shape
  std::string projection{};                        // name of the projection's weights; empty: by their shape

  bool operator==(const ImportOptions&) const = default;
};

/// The alphabet that a list of characters and names of symbols is, in token order. Throws InputError naming `where`.
text::Vocabulary vocabulary_of(std::span<const std::string> tokens, const std::string& where);

/// A model from another program's file: what torch.save wrote, or safetensors with or without rune's metadata. Sizes
/// and cell are read off the names and shapes that PyTorch gives to recurrent layers; biases that are not there are
/// zero, and weights of any float type become f32. `name` is used in messages. Throws InputError where the file is
/// damaged, holds weights that are not finite or more layers than rune's models have, or leaves a choice open: the
/// message lists what was found.
Model import_model(std::string_view bytes, const std::string& name, const ImportOptions& options);

}  // namespace rune::model
