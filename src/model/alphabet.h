#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"

namespace rune::model {

/// The entries of two alphabets: in both, in the new one alone, in the old one alone.
struct AlphabetChange {
  std::vector<std::string> kept;
  std::vector<std::string> added;
  std::vector<std::string> dropped;
};
AlphabetChange compare(const text::Vocabulary& before, const text::Vocabulary& after);

/// The same model for another alphabet: an entry of both keeps its weights (its row of the embedding or its column of
/// the one-hot input, its row and bias of the projection), a new one gets those that a new model of this seed has, and
/// all other weights stay. With its own alphabet, a model stays as it is.
Model with_alphabet(const Model& model, text::Vocabulary vocabulary, std::uint64_t seed);

}  // namespace rune::model
