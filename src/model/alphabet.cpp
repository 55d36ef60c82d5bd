#include "model/alphabet.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace rune::model {
namespace {

// How a tensor's elements lie: entry v of the alphabet has `width` of them together, in each of `repeats` groups.
struct AlphabetLayout {
  std::size_t repeats = 0;  // 0: the tensor knows nothing of the alphabet
  std::size_t width = 0;
};

AlphabetLayout layout_of(const Tensor& tensor, const ModelOptions& options) {
  const auto rows = static_cast<std::size_t>(tensor.shape.front());
  if (tensor.name == "embedding.weight" || tensor.name.starts_with("fc.")) return {1, tensor.size / rows};
  if (options.embedding == 0 && tensor.name.ends_with(".weight_ih_l0")) return {rows, 1};
  return {};
}

}  // namespace

AlphabetChange compare(const text::Vocabulary& before, const text::Vocabulary& after) {
  AlphabetChange change;
  for (const std::string& entry : after.content().entries) {
    (before.token_of_entry(entry) < 0 ? change.added : change.kept).push_back(entry);
  }
  for (const std::string& entry : before.content().entries) {
    if (after.token_of_entry(entry) < 0) change.dropped.push_back(entry);
  }
  return change;
}

Model with_alphabet(const Model& model, text::Vocabulary vocabulary, std::uint64_t seed) {
  const ModelOptions& options = model.network.options();
  const Parameters& before = model.network.parameters();
  Parameters after = Parameters::initialized(options, vocabulary.size(), seed);
  for (const Tensor& tensor : before.tensors()) {
    const auto from = before.values(tensor);
    const auto to = after.values(tensor.name);
    const auto [repeats, width] = layout_of(tensor, options);
    if (repeats == 0) std::ranges::copy(from, to.begin());
    for (std::size_t group = 0; group < repeats; ++group) {
      const auto old_group = from.subspan(group * from.size() / repeats, from.size() / repeats);
      const auto new_group = to.subspan(group * to.size() / repeats, to.size() / repeats);
      for (int token = 0; token < vocabulary.size(); ++token) {
        const int known = model.vocabulary.token_of_entry(vocabulary.entry(token));
        if (known < 0) continue;
        const auto entry = old_group.subspan(static_cast<std::size_t>(known) * width, width);
        std::ranges::copy(entry,
                          new_group.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(token) * width));
      }
    }
  }
  const int size = vocabulary.size();
  return {std::move(vocabulary), Network(options, size, std::move(after))};
}

}  // namespace rune::model
