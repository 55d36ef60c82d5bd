#include "model/alphabet.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace rune::model {
namespace {

constexpr std::uint64_t kSeed = 7;

Model model_of(const ModelOptions& options, const std::u32string& alphabet) {
  return new_model(options, text::Vocabulary(alphabet), 1);
}

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
      compare(text::Vocabulary(std::u32string{text::kUnknownSymbol, U'a', U'b', U'c'}), text::Vocabulary(U"bdc"));
  EXPECT_EQ(change.kept, U"bc");
  EXPECT_EQ(change.added, U"d");
  EXPECT_EQ(change.dropped, (std::u32string{text::kUnknownSymbol, U'a'}));
}

TEST(Alphabet, WithItsOwnAModelStaysAsItIs) {
  for (const int embedding : {0, 3}) {
    const Model model = model_of({.layers = 2, .hidden_size = 5, .embedding = embedding}, U"abcd");
    const Model same = with_alphabet(model, model.vocabulary, kSeed);
    for (const Tensor& tensor : model.network.parameters().tensors()) {
      EXPECT_EQ(values(same, tensor.name), values(model, tensor.name)) << tensor.name;
    }
  }
}

TEST(Alphabet, EntriesKeepTheirWeightsWhereverTheyMove) {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat}) {
    for (const int embedding : {0, 3}) {
      const ModelOptions options{.cell = cell, .layers = 2, .hidden_size = 5, .embedding = embedding};
      const Model before = model_of(options, U"abcd");
      const std::u32string alphabet = U"xdbyz";
      const Model after = with_alphabet(before, text::Vocabulary(alphabet), kSeed);
      const Model fresh = new_model(options, text::Vocabulary(alphabet), kSeed);
      const std::string input = std::string(cell_name(cell)) + ".weight_ih_l0";
      for (int token = 0; token < 5; ++token) {
        const int known = before.vocabulary.token(after.vocabulary.character(token));
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
