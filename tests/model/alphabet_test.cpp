#include "model/alphabet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace rune::model {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kSeed = 7;

// The last of them is a symbol, which keeps its weights as characters do.
const text::Vocabulary kBefore({{"a", "b", "d", "<EOS>"}});

Model model_of(const ModelOptions& options) { return new_model(options, kBefore, 1); }

std::vector<float> values(const Model& model, std::string_view name) {
  const auto span = model.network.parameters().values(name);
  return {span.begin(), span.end()};
}

// Entry `token` of a tensor that has rows, or columns, for the alphabet.
std::vector<float> row(const Model& model, std::string_view name, int token) {
  const std::vector<float> all = values(model, name);
  const std::size_t width = all.size() / static_cast<std::size_t>(model.vocabulary.size());
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(width * static_cast<std::size_t>(token));
  return {begin, begin + static_cast<std::ptrdiff_t>(width)};
}
std::vector<float> column(const Model& model, std::string_view name, int token) {
  const std::vector<float> all = values(model, name);
  std::vector<float> result;
  for (auto i = static_cast<std::size_t>(token); i < all.size();
       i += static_cast<std::size_t>(model.vocabulary.size())) {
    result.push_back(all[i]);
  }
  return result;
}

TEST(Alphabet, ChangesAreNamed) {
  const AlphabetChange change =
      compare(text::Vocabulary({{"<unk>", "<EOS>", "a", "bb", "c"}}), text::Vocabulary({{"bb", "d", "<EOS>", "c"}}));
  EXPECT_THAT(change.kept, ElementsAre("bb", "<EOS>", "c"));
  EXPECT_THAT(change.added, ElementsAre("d"));
  EXPECT_THAT(change.dropped, ElementsAre("<unk>", "a"));
}

TEST(Alphabet, WithItsOwnAModelStaysAsItIs) {
  for (const int embedding : {0, 3}) {
    const Model model = model_of({.layers = 2, .hidden_size = 5, .embedding = embedding});
    const Model same = with_alphabet(model, model.vocabulary, kSeed);
    for (const Tensor& tensor : model.network.parameters().tensors()) {
      EXPECT_EQ(values(same, tensor.name), values(model, tensor.name)) << tensor.name;
    }
  }
}

TEST(Alphabet, EntriesKeepTheirWeightsWhereverTheyMove) {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat, Cell::mingru}) {
    for (const int embedding : {0, 3}) {
      const ModelOptions options{.cell = cell, .layers = 2, .hidden_size = 5, .embedding = embedding};
      const Model before = model_of(options);
      const text::Vocabulary alphabet({{"x", "<EOS>", "d", "b", "yy"}});
      const Model after = with_alphabet(before, alphabet, kSeed);
      const Model fresh = new_model(options, alphabet, kSeed);
      const std::string input = std::string(cell_name(cell)) + ".weight_ih_l0";
      for (int token = 0; token < 5; ++token) {
        const int known = before.vocabulary.token_of_entry(alphabet.entry(token));
        const Model& from = known < 0 ? fresh : before;
        const int there = known < 0 ? token : known;
        EXPECT_EQ(row(after, "fc.weight", token), row(from, "fc.weight", there));
        EXPECT_EQ(row(after, "fc.bias", token), row(from, "fc.bias", there));
        if (embedding > 0) {
          EXPECT_EQ(row(after, "embedding.weight", token), row(from, "embedding.weight", there));
        } else {
          EXPECT_EQ(column(after, input, token), column(from, input, there));
        }
      }
      for (const Tensor& tensor : before.network.parameters().tensors()) {
        if (tensor.shape == after.network.parameters().tensor(tensor.name).shape) {
          EXPECT_EQ(values(after, tensor.name), values(before, tensor.name)) << tensor.name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace rune::model
