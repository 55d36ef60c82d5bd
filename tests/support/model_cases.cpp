#include "support/model_cases.h"

#include <span>

#include <fmt/format.h>

#include "base/random.h"

namespace rune::test {

ModelOptions model_options(const CellCase& cell, int layers, int hidden_size, int embedding) {
  ModelOptions options;
  options.cell = cell.cell;
  options.nonlinearity = cell.nonlinearity;
  options.layers = layers;
  options.hidden_size = hidden_size;
  options.embedding = embedding;
  return options;
}

std::string case_name(const CellCase& cell, int layers, int embedding) {
  return fmt::format("{}_{}_layers_{}", cell.name, layers, embedding == 0 ? "one_hot" : "embedding");
}

RandomBlock::RandomBlock(int vocabulary_size, int sequence_length, int batch_size, std::uint64_t seed)
    : sequence_length_(sequence_length), batch_size_(batch_size) {
  const RandomStream random(seed, RandomPurpose::shuffle);
  const auto count = static_cast<std::size_t>(sequence_length * batch_size);
  for (std::size_t i = 0; i < count; ++i) {
    inputs_.push_back(static_cast<std::int32_t>(random.uniform(2 * i) * static_cast<float>(vocabulary_size)));
    targets_.push_back(static_cast<std::int32_t>(random.uniform(2 * i + 1) * static_cast<float>(vocabulary_size)));
  }
}

text::TokenBlock RandomBlock::part(int begin, int end) const {
  const auto offset = static_cast<std::size_t>(begin * batch_size_);
  const auto count = static_cast<std::size_t>((end - begin) * batch_size_);
  return {end - begin, batch_size_, std::span(inputs_).subspan(offset, count),
          std::span(targets_).subspan(offset, count)};
}

}  // namespace rune::test
