#include "model/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace rune::model {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Property;
using testing::ThrowsMessage;

std::vector<std::string> names(const Parameters& parameters) {
  std::vector<std::string> names;
  for (const Tensor& tensor : parameters.tensors()) names.push_back(tensor.name);
  return names;
}

double mean(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double mean_square(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return sum / static_cast<double>(values.size());
}

TEST(ParametersTest, CountsAreThoseOfTheReferenceSystems) {
  EXPECT_EQ(Parameters({.cell = Cell::lstm, .layers = 2, .hidden_size = 512}, 83).count(), 3366483);
  EXPECT_EQ(Parameters({.cell = Cell::lstm, .layers = 2, .hidden_size = 512, .embedding = 42}, 56).count(), 3271016);
}

TEST(ParametersTest, NamesAndShapesArePyTorchs) {
  const Parameters lstm({.cell = Cell::lstm, .layers = 2, .hidden_size = 5, .embedding = 3}, 7);
  EXPECT_THAT(names(lstm), ElementsAre("embedding.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0",
                                       "lstm.bias_hh_l0", "lstm.weight_ih_l1", "lstm.weight_hh_l1", "lstm.bias_ih_l1",
                                       "lstm.bias_hh_l1", "fc.weight", "fc.bias"));
  EXPECT_THAT(lstm.tensor("embedding.weight").shape, ElementsAre(7, 3));
  EXPECT_THAT(lstm.tensor("lstm.weight_ih_l0").shape, ElementsAre(20, 3));
  EXPECT_THAT(lstm.tensor("lstm.weight_ih_l1").shape, ElementsAre(20, 5));
  EXPECT_THAT(lstm.tensor("lstm.weight_hh_l1").shape, ElementsAre(20, 5));
  EXPECT_THAT(lstm.tensor("lstm.bias_hh_l0").shape, ElementsAre(20));
  EXPECT_THAT(lstm.tensor("fc.weight").shape, ElementsAre(7, 5));
  EXPECT_THAT(lstm.tensor("fc.bias").shape, ElementsAre(7));

  const Parameters gru({.cell = Cell::gru, .layers = 1, .hidden_size = 5}, 7);
  EXPECT_THAT(names(gru), ElementsAre("gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_ih_l0", "gru.bias_hh_l0",
                                      "fc.weight", "fc.bias"));
  EXPECT_THAT(gru.tensor("gru.weight_ih_l0").shape, ElementsAre(15, 7));

  const Parameters rnn({.cell = Cell::rnn, .layers = 1, .hidden_size = 5}, 7);
  EXPECT_THAT(rnn.tensor("rnn.weight_hh_l0").shape, ElementsAre(5, 5));

  const Parameters loop({.cell = Cell::loop, .layers = 1, .hidden_size = 5}, 7);
  EXPECT_THAT(names(loop), ElementsAre("loop.weight_ih_l0", "loop.weight_hh_l0", "loop.bias_ih_l0", "loop.bias_hh_l0",
                                       "fc.weight", "fc.bias"));

  const Parameters concat({.cell = Cell::loop_concat, .layers = 2, .hidden_size = 5, .embedding = 3}, 7);
  EXPECT_THAT(names(concat),
              ElementsAre("embedding.weight", "loop_concat.weight_ih_l0", "loop_concat.weight_uh_l0",
                          "loop_concat.weight_hh_l0", "loop_concat.bias_ih_l0", "loop_concat.bias_hh_l0",
                          "loop_concat.weight_ih_l1", "loop_concat.weight_uh_l1", "loop_concat.weight_hh_l1",
                          "loop_concat.bias_ih_l1", "loop_concat.bias_hh_l1", "fc.weight", "fc.bias"));
  EXPECT_THAT(concat.tensor("loop_concat.weight_ih_l0").shape, ElementsAre(5, 3));
  EXPECT_THAT(concat.tensor("loop_concat.weight_ih_l1").shape, ElementsAre(5, 5));
  EXPECT_THAT(concat.tensor("loop_concat.weight_uh_l0").shape, ElementsAre(5, 5));
  EXPECT_THAT(concat.tensor("loop_concat.weight_hh_l1").shape, ElementsAre(5, 5));
  EXPECT_THAT(concat.tensor("loop_concat.bias_ih_l1").shape, ElementsAre(5));
}

TEST(ParametersTest, MinGruHasNoRecurrentMatrix) {
  const Parameters parameters({.cell = Cell::mingru, .layers = 2, .hidden_size = 5}, 3);
  EXPECT_THAT(names(parameters), ElementsAre("mingru.weight_ih_l0", "mingru.bias_ih_l0", "mingru.weight_ih_l1",
                                             "mingru.bias_ih_l1", "fc.weight", "fc.bias"));
  EXPECT_THAT(parameters.tensor("mingru.weight_ih_l0").shape, ElementsAre(10, 3));
  EXPECT_THAT(parameters.tensor("mingru.bias_ih_l1").shape, ElementsAre(10));
  EXPECT_EQ(parameters.tensor("mingru.weight_ih_l0").fan_in, 3);
  EXPECT_EQ(parameters.tensor("mingru.bias_ih_l1").fan_in, 5);
}

TEST(ParametersTest, EveryCellHasTheTensorsOfItsTable) {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat, Cell::mingru}) {
    const Parameters parameters({.cell = cell, .layers = 2, .hidden_size = 4}, 3);
    std::vector<std::string> expected;
    for (const char* const layer : {"_l0", "_l1"})
      for (const std::string_view kind : layer_tensors(cell))
        expected.push_back(std::string(cell_name(cell)) + '.' + std::string(kind) + layer);
    expected.insert(expected.end(), {"fc.weight", "fc.bias"});
    EXPECT_EQ(names(parameters), expected);
  }
}

TEST(ParametersTest, TensorsAreAlignedAndWhatLiesBetweenThemIsZero) {
  const Parameters parameters =
      Parameters::initialized({.cell = Cell::gru, .layers = 2, .hidden_size = 7, .embedding = 3}, 11, 1);
  std::vector<float> rest(parameters.arena().begin(), parameters.arena().end());
  for (const Tensor& tensor : parameters.tensors()) {
    EXPECT_EQ(tensor.offset % 16, 0U) << tensor.name;
    const auto part = std::span(rest).subspan(tensor.offset, tensor.size);
    EXPECT_THAT(part, testing::Not(testing::Contains(std::numeric_limits<float>::infinity())))
        << "overlap at " << tensor.name;
    std::ranges::fill(part, std::numeric_limits<float>::infinity());
  }
  std::erase(rest, std::numeric_limits<float>::infinity());
  EXPECT_FALSE(rest.empty());
  EXPECT_THAT(rest, Each(0.0F));
  EXPECT_EQ(parameters.arena().size() % 16, 0U);
}

TEST(ParametersTest, AnUnknownNameIsAnError) {
  const Parameters parameters({.cell = Cell::gru, .layers = 1, .hidden_size = 4}, 3);
  EXPECT_THAT([&] { return parameters.values("gru.weight_ih_l1"); },
              ThrowsMessage<InputError>(HasSubstr("gru.weight_ih_l1")));
}

TEST(ParametersTest, ACopyHasItsOwnMemory) {
  const ModelOptions options{.cell = Cell::rnn, .layers = 1, .hidden_size = 4};
  const Parameters original = Parameters::initialized(options, 3, 1);
  Parameters copy = original;
  EXPECT_TRUE(std::ranges::equal(copy.arena(), original.arena()));
  std::ranges::fill(copy.values("fc.bias"), 5.0F);
  EXPECT_THAT(original.values("fc.bias"), Each(Le(0.5F)));
  copy = original;
  EXPECT_TRUE(std::ranges::equal(copy.arena(), original.arena()));
  EXPECT_NE(copy.arena().data(), original.arena().data());
}

TEST(InitializationTest, DependsOnTheSeedAlone) {
  const ModelOptions options{.cell = Cell::lstm, .layers = 2, .hidden_size = 9, .embedding = 4};
  const Parameters first = Parameters::initialized(options, 6, 1);
  EXPECT_TRUE(std::ranges::equal(first.arena(), Parameters::initialized(options, 6, 1).arena()));
  const Parameters second = Parameters::initialized(options, 6, 2);
  for (const Tensor& tensor : first.tensors()) {
    EXPECT_FALSE(std::ranges::equal(first.values(tensor), second.values(tensor))) << tensor.name;
  }
}

TEST(InitializationTest, TensorsShareNoNumbers) {
  const Parameters parameters = Parameters::initialized({.cell = Cell::gru, .layers = 2, .hidden_size = 16}, 16, 1);
  EXPECT_FALSE(std::ranges::equal(parameters.values("gru.bias_ih_l0"), parameters.values("gru.bias_hh_l0")));
  EXPECT_FALSE(std::ranges::equal(parameters.values("gru.weight_hh_l0"), parameters.values("gru.weight_hh_l1")));
}

TEST(InitializationTest, UniformFillsTheIntervalEvenly) {
  const Parameters parameters = Parameters::initialized({.cell = Cell::lstm, .layers = 1, .hidden_size = 64}, 80, 1);
  for (const Tensor& tensor : parameters.tensors()) {
    const auto values = parameters.values(tensor);
    EXPECT_THAT(values, Each(AllOf(Ge(-0.125F), Le(0.125F)))) << tensor.name;
    const double error = 5 / std::sqrt(static_cast<double>(tensor.size));  // five standard deviations
    EXPECT_NEAR(mean(values) / 0.125, 0, error * std::sqrt(1.0 / 3)) << tensor.name;
    EXPECT_NEAR(mean_square(values) / 0.125 / 0.125, 1.0 / 3, error * std::sqrt(4.0 / 45)) << tensor.name;
  }
}

// The loop cells are made of nn.Linear, which goes by the number of its inputs.
TEST(InitializationTest, LoopCellsStartAsLinearLayersDo) {
  constexpr int kHidden = 64;
  constexpr int kVocabulary = 400;
  const auto expect_bound = [](const Parameters& parameters, const std::string& name, double inputs) {
    const auto values = parameters.values(name);
    const double bound = 1 / std::sqrt(inputs);
    EXPECT_THAT(values, Each(AllOf(Ge(-bound * 1.0001), Le(bound * 1.0001)))) << name;
    const double error = 5 / std::sqrt(static_cast<double>(values.size()));  // five standard deviations
    EXPECT_NEAR(mean_square(values) / bound / bound, 1.0 / 3, error * std::sqrt(4.0 / 45)) << name;
  };
  const Parameters loop =
      Parameters::initialized({.cell = Cell::loop, .layers = 2, .hidden_size = kHidden}, kVocabulary, 1);
  expect_bound(loop, "loop.weight_ih_l0", kVocabulary);
  expect_bound(loop, "loop.bias_ih_l0", kVocabulary);
  expect_bound(loop, "loop.weight_ih_l1", kHidden);
  expect_bound(loop, "loop.bias_ih_l1", kHidden);
  expect_bound(loop, "loop.weight_hh_l0", kHidden);
  expect_bound(loop, "loop.bias_hh_l0", kHidden);

  const Parameters concat = Parameters::initialized(
      {.cell = Cell::loop_concat, .layers = 2, .hidden_size = kHidden, .embedding = 10}, kVocabulary, 1);
  for (const std::string kind : {"weight_ih", "weight_uh", "bias_ih"}) {
    expect_bound(concat, "loop_concat." + kind + "_l0", kHidden + 10);
    expect_bound(concat, "loop_concat." + kind + "_l1", 2 * kHidden);
  }
  expect_bound(concat, "loop_concat.weight_hh_l1", kHidden);
  expect_bound(concat, "loop_concat.bias_hh_l1", kHidden);
  expect_bound(concat, "fc.weight", kHidden);
}

TEST(InitializationTest, EmbeddingIsStandardNormal) {
  const Parameters parameters =
      Parameters::initialized({.cell = Cell::rnn, .layers = 1, .hidden_size = 4, .embedding = 100}, 400, 1);
  const auto values = parameters.values("embedding.weight");
  EXPECT_NEAR(mean(values), 0, 0.025);
  EXPECT_NEAR(mean_square(values), 1, 0.035);
  EXPECT_GT(*std::ranges::max_element(values), 3);
}

TEST(InitializationTest, OrthogonalMakesEveryGateOrthogonal) {
  constexpr std::size_t kHidden = 33;
  const Parameters parameters = Parameters::initialized(
      {.cell = Cell::lstm, .layers = 2, .hidden_size = kHidden, .init = Initialization::orthogonal}, 5, 3);
  for (const char* const name : {"lstm.weight_hh_l0", "lstm.weight_hh_l1"}) {
    const auto values = parameters.values(name);
    for (std::size_t gate = 0; gate < 4; ++gate) {
      const auto matrix = values.subspan(gate * kHidden * kHidden, kHidden * kHidden);
      for (std::size_t i = 0; i < kHidden; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          double product = 0;
          for (std::size_t k = 0; k < kHidden; ++k)
            product += static_cast<double>(matrix[i * kHidden + k]) * matrix[j * kHidden + k];
          ASSERT_NEAR(product, i == j ? 1 : 0, 1e-6) << name << " gate " << gate << " rows " << i << ' ' << j;
        }
      }
    }
    EXPECT_FALSE(
        std::ranges::equal(values.first(kHidden * kHidden), values.subspan(kHidden * kHidden, kHidden * kHidden)));
  }
  EXPECT_THAT(parameters.values("lstm.weight_ih_l1"), Each(AllOf(Ge(-0.1741F), Le(0.1741F))));
}

// Over the whole orthogonal group every entry has mean 0 and mean square 1/H: a factor with signs left as they fall
// would be lopsided on the diagonal.
TEST(InitializationTest, OrthogonalPrefersNoDirection) {
  constexpr int kDraws = 2000;
  std::vector<double> sums(4);
  std::vector<double> squares(4);
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    const Parameters parameters = Parameters::initialized(
        {.cell = Cell::rnn, .layers = 1, .hidden_size = 2, .init = Initialization::orthogonal}, 2, seed);
    const auto values = parameters.values("rnn.weight_hh_l0");
    for (std::size_t i = 0; i < 4; ++i) {
      sums[i] += values[i];
      squares[i] += static_cast<double>(values[i]) * values[i];
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(sums[i] / kDraws, 0, 0.08) << i;
    EXPECT_NEAR(squares[i] / kDraws, 0.5, 0.04) << i;
  }
}

TEST(InitializationTest, IdentityIsTheIdentity) {
  const Parameters parameters = Parameters::initialized(
      {.cell = Cell::rnn, .layers = 2, .hidden_size = 3, .init = Initialization::identity}, 5, 1);
  EXPECT_THAT(parameters.values("rnn.weight_hh_l0"), ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1));
  EXPECT_THAT(parameters.values("rnn.weight_hh_l1"), ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1));
  EXPECT_GT(mean_square(parameters.values("rnn.weight_ih_l0")), 0.01);

  const Parameters concat = Parameters::initialized(
      {.cell = Cell::loop_concat, .layers = 1, .hidden_size = 2, .init = Initialization::identity}, 5, 1);
  EXPECT_THAT(concat.values("loop_concat.weight_hh_l0"), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(concat.values("loop_concat.weight_uh_l0"), Each(AllOf(testing::Lt(0.4F), testing::Gt(-0.4F))));
}

TEST(InitializationTest, ForgetBiasTouchesTheForgetGateAlone) {
  ModelOptions options{.cell = Cell::lstm, .layers = 2, .hidden_size = 6};
  const Parameters plain = Parameters::initialized(options, 5, 1);
  options.forget_bias = 1.5F;
  const Parameters biased = Parameters::initialized(options, 5, 1);
  for (const char* const layer : {"0", "1"}) {
    const auto bias_ih = biased.values(std::string("lstm.bias_ih_l") + layer);
    const auto bias_hh = biased.values(std::string("lstm.bias_hh_l") + layer);
    EXPECT_THAT(bias_ih.subspan(6, 6), Each(1.5F));
    EXPECT_THAT(bias_hh.subspan(6, 6), Each(0.0F));
  }
  std::size_t changed = 0;
  for (std::size_t i = 0; i < plain.arena().size(); ++i) changed += plain.arena()[i] != biased.arena()[i];
  EXPECT_EQ(changed, 2U * 2 * 6);
}

struct Invalid {
  ModelOptions options;
  const char* message;
};

class InvalidOptionsTest : public testing::TestWithParam<Invalid> {};

TEST_P(InvalidOptionsTest, AreRefusedByName) {
  const Invalid& invalid = GetParam();
  EXPECT_THAT([&] { validate(invalid.options); }, ThrowsMessage<InputError>(HasSubstr(invalid.message)));
  EXPECT_THROW(Parameters(invalid.options, 10), InputError);
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Each, InvalidOptionsTest,
    testing::Values(Invalid{{.layers = 0}, "layers must be between 1 and 64, found 0"},
                    Invalid{{.layers = 65}, "layers"}, Invalid{{.hidden_size = 0}, "hidden_size"},
                    Invalid{{.hidden_size = 16385}, "hidden_size"}, Invalid{{.embedding = -1}, "embedding"},
                    Invalid{{.embedding = 16385}, "embedding"},
                    Invalid{{.dropout = 1}, "dropout must be at least 0 and below 1, found 1"},
                    Invalid{{.dropout = -0.1F}, "dropout"}, Invalid{{.dropout = kNan}, "dropout"},
                    Invalid{{.output_dropout = 1.0F}, "output_dropout"},
                    Invalid{{.weight_drop = 1}, "weight_drop must be at least 0 and below 1, found 1"},
                    Invalid{{.weight_drop = kNan}, "weight_drop"},
                    Invalid{{.cell = Cell::mingru, .weight_drop = 0.1F},
                            "weight_drop is of recurrent matrices, which the cell mingru has not"},
                    Invalid{{.cell = Cell::mingru, .init = Initialization::orthogonal},
                            "init orthogonal is of recurrent matrices, which the cell mingru has not"},
                    Invalid{{.cell = Cell::mingru, .init = Initialization::identity}, "init identity works with"},
                    Invalid{{.cell = Cell::gru, .nonlinearity = Nonlinearity::relu},
                            "nonlinearity relu works with the cell rnn only, found the cell gru"},
                    Invalid{{.cell = Cell::lstm, .init = Initialization::identity},
                            "init identity works with the cell rnn or loop or loop_concat only, found the cell lstm"},
                    Invalid{{.cell = Cell::loop, .nonlinearity = Nonlinearity::relu},
                            "nonlinearity relu works with the cell rnn only, found the cell loop"},
                    Invalid{{.cell = Cell::loop_concat, .forget_bias = 1.0F},
                            "forget_bias works with the cell lstm only"},
                    Invalid{{.cell = Cell::gru, .forget_bias = 1.0F}, "forget_bias works with the cell lstm only"},
                    Invalid{{.forget_bias = kNan}, "forget_bias must be finite"}));

TEST(ValidateTest, AcceptsTheLimits) {
  EXPECT_NO_THROW(validate({}));
  EXPECT_NO_THROW(
      validate({.layers = 64, .hidden_size = 16384, .embedding = 16384, .dropout = 0.999F, .output_dropout = 0.0F}));
  EXPECT_NO_THROW(
      validate({.cell = Cell::rnn, .nonlinearity = Nonlinearity::relu, .layers = 1, .init = Initialization::identity}));
  EXPECT_NO_THROW(validate({.cell = Cell::loop, .init = Initialization::identity}));
  EXPECT_NO_THROW(validate({.cell = Cell::loop_concat, .init = Initialization::orthogonal}));
}

TEST(TensorLayoutTest, LargeModelsAreDescribedWithoutTheirMemory) {
  const auto tensors = tensor_layout({.cell = Cell::lstm, .layers = 64, .hidden_size = 16384}, 1'000'000);
  EXPECT_EQ(tensors.size(), 258U);
  EXPECT_EQ(tensors.front().size, 65'536'000'000U);
  EXPECT_EQ(tensors.back().offset % 16, 0U);
}

TEST(TensorLayoutTest, AnEmptyVocabularyIsAnError) {
  EXPECT_THAT([] { return tensor_layout({}, 0); }, ThrowsMessage<InputError>(HasSubstr("vocabulary")));
}

}  // namespace
}  // namespace rune::model
