#include "model/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <functional>
#include <numeric>

#include "base/file.h"
#include "support/pickles.h"
#include "support/temporary_folder.h"

// Models of PyTorch are imported, and compared, in tests/exchange.
namespace rune::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Shapes = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

/// A safetensors file without metadata, whose weights count up from zero.
std::string foreign(const Shapes& shapes) {
  const test::TemporaryFolder folder;
  std::vector<std::vector<float>> data;
  std::vector<format::TensorView> tensors;
  for (const auto& [name, shape] : shapes) {
    const auto size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    std::vector<float>& values = data.emplace_back(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), 0.0F);
    tensors.push_back(format::tensor_view(name, shape, values));
  }
  format::write_safetensors(folder / "f", tensors, {});
  return read_file(folder / "f");
}

/// A GRU of 2 units, one-hot input and 3 characters.
Shapes gru(const std::string& prefix = "gru.") {
  return {{prefix + "weight_ih_l0", {6, 3}},
          {prefix + "weight_hh_l0", {6, 2}},
          {prefix + "bias_ih_l0", {6}},
          {prefix + "bias_hh_l0", {6}},
          {"out.weight", {3, 2}},
          {"out.bias", {3}}};
}
Shapes operator+(Shapes shapes, const Shapes& more) {
  shapes.insert(shapes.end(), more.begin(), more.end());
  return shapes;
}

ImportOptions with(ImportOptions options = {}, const std::u32string& alphabet = U"abc") {
  options.alphabet = text::Vocabulary(alphabet);
  return options;
}

Model import(const Shapes& shapes, const ImportOptions& options = with()) {
  return import_model(foreign(shapes), "file", options);
}
auto refuses(const std::string& message) { return ThrowsMessage<InputError>(HasSubstr(message)); }

TEST(Import, ReadsSizesOffTheShapes) {
  const Model model = import(gru("any.name_"));
  const ModelOptions& options = model.network.options();
  EXPECT_EQ(options.cell, Cell::gru);
  EXPECT_EQ(options.layers, 1);
  EXPECT_EQ(options.hidden_size, 2);
  EXPECT_EQ(options.embedding, 0);
  EXPECT_THAT(model.network.parameters().values("fc.weight"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(model.network.parameters().values("gru.bias_hh_l0"), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Import, ReadsAnEmbedding) {
  Shapes shapes = gru() + Shapes{{"words", {3, 5}}};
  shapes[0].second = {6, 5};
  EXPECT_EQ(import(shapes).network.options().embedding, 5);
}

TEST(Import, KnowsLoopCellsByNameOrWord) {
  Shapes shapes{{"loop.weight_ih_l0", {2, 3}}, {"loop.weight_hh_l0", {2, 2}}, {"fc.weight", {3, 2}}};
  EXPECT_EQ(import(shapes).network.options().cell, Cell::loop);
  shapes[0].first = "x.weight_ih_l0";
  shapes[1].first = "x.weight_hh_l0";
  EXPECT_EQ(import(shapes).network.options().cell, Cell::rnn);
  EXPECT_EQ(import(shapes, with({.cell = Cell::loop})).network.options().cell, Cell::loop);
}

TEST(Import, KnowsMinGruByNameOrWord) {
  Shapes shapes{{"mingru.weight_ih_l0", {4, 3}}, {"mingru.bias_ih_l0", {4}}, {"fc.weight", {3, 2}}};
  const Model model = import(shapes);
  EXPECT_EQ(model.network.options().cell, Cell::mingru);
  EXPECT_EQ(model.network.options().hidden_size, 2);
  EXPECT_THAT(model.network.parameters().values("mingru.bias_ih_l0"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT([&] { import(shapes, with({.cell = Cell::loop})); }, refuses("weight_hh_l0"));
  shapes[0].first = "x.weight_ih_l0";
  shapes[1].first = "x.bias_ih_l0";
  EXPECT_THAT([&] { import(shapes); }, refuses("weight_hh_l0"));
  EXPECT_EQ(import(shapes, with({.cell = Cell::mingru})).network.options().cell, Cell::mingru);
}

TEST(Import, ListsWhatItCannotChooseFrom) {
  const Shapes two = gru() + Shapes{{"out2.weight", {3, 2}}, {"out2.bias", {3}}};
  EXPECT_THAT([&] { import(two); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("--projection"), HasSubstr("\"out.weight\" (3 x 2)"),
                                              HasSubstr("\"out2.weight\" (3 x 2)"))));
  EXPECT_THAT([&] { import(two, with({.projection = "out"})); }, refuses("no part of that:\n  \"out2.bias\" (3)"));
  EXPECT_THAT([&] { import(two, with({.projection = "elsewhere"})); }, refuses("\"elsewhere\""));
  EXPECT_THAT([] { import(gru() + Shapes{{"second.weight_ih_l0", {6, 3}}}); }, refuses("--recurrent"));
  Shapes embeddings = gru() + Shapes{{"e1", {3, 5}}, {"e2", {3, 5}}};
  embeddings[0].second = {6, 5};
  EXPECT_THAT([&] { import(embeddings); }, refuses("--embedding"));
  embeddings.resize(gru().size());
  EXPECT_THAT([&] { import(embeddings); }, refuses("an embedding of (3, 5)"));
}

TEST(Import, RefusesOtherShapesAndOtherLayers) {
  const auto changed = [](std::size_t index, std::vector<std::int64_t> shape) {
    Shapes shapes = gru();
    shapes[index].second = std::move(shape);
    return shapes;
  };
  EXPECT_THAT([&] { import(changed(1, {7, 2})); }, refuses("1, 3 or 4 times"));
  EXPECT_THAT([&] { import(changed(0, {5, 3})); }, refuses("\"gru.weight_ih_l0\" to be 6 x 3, found 5 x 3"));
  EXPECT_THAT([&] { import(changed(2, {5})); }, refuses("\"gru.bias_ih_l0\" to be 6, found 5"));
  EXPECT_THAT([] { import(gru() + Shapes{{"norm.weight", {2}}}); }, refuses("\"norm.weight\" (2)"));
  EXPECT_THAT([] { import(gru() + Shapes{{"gru.weight_ih_l0_reverse", {6, 3}}}); }, refuses("_reverse"));
  EXPECT_THAT([] { import(gru() + Shapes{{"gru.weight_ih_l1", {6, 2}}}); }, refuses("\"gru.weight_hh_l1\" is missing"));
  EXPECT_THAT([] { import({{"fc.weight", {3, 2}}}); }, refuses("nn.LSTM"));
  EXPECT_THAT([] { import(gru(), with({}, U"abcd")); }, refuses("--projection"));
}

TEST(Import, NeedsAnAlphabet) {
  EXPECT_THAT([] { import(gru(), {}); }, refuses("--alphabet FILE"));
  const std::vector<std::string> tokens{"a", "<EOS>", "é"};
  EXPECT_EQ(vocabulary_of(tokens, "list").content().entries, tokens);
  for (const std::string bad : {"ab", "", "\xff"}) {
    EXPECT_THAT([&] { (void)vocabulary_of(std::vector{bad}, "the list"); }, refuses("the list")) << bad;
  }
}

TEST(Import, ARuneModelSaysItselfWhatItIs) {
  const test::TemporaryFolder folder;
  save_model(folder / "m",
             new_model({.cell = Cell::loop_concat, .layers = 1, .hidden_size = 3}, text::Vocabulary(U"ab"), 1));
  const std::string bytes = read_file(folder / "m");
  EXPECT_EQ(import_model(bytes, "m", {}).network.options().cell, Cell::loop_concat);
  EXPECT_THAT([&] { import_model(bytes, "m", with()); }, refuses("leave out"));
}

}  // namespace
}  // namespace rune::model
