#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rune::text {

/// How well the last few tokens alone predict the next one: for every order from 0 to `orders`, the mean of -log2 p
/// over the tokens of `test`, p being what a model of n-grams learned from `train` expects after that many tokens
/// (Witten and Bell 1991: each order is mixed with the one below it). A baseline for the loss of a recurrent model.
/// Neither part may be empty.
std::vector<double> ngram_entropies(std::span<const std::int32_t> train, std::span<const std::int32_t> test,
                                    int vocabulary_size, int orders);

}  // namespace rune::text
