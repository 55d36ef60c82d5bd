#include "support/reference_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "support/model_cases.h"

namespace rune::test {
namespace {

std::vector<double> normals(std::size_t count, double scale, std::uint64_t step) {
  const RandomStream random(11, RandomPurpose::initialize, step);
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = scale * random.normal(i);
  return values;
}

class ReferenceNetworkGradients : public testing::TestWithParam<std::tuple<CellCase, int, int>> {};

// Central differences in double precision: errors of about 1e-10 where the values are of order one.
TEST_P(ReferenceNetworkGradients, AgreeWithFiniteDifferences) {
  const auto& [cell, layers, embedding] = GetParam();
  constexpr int kVocabulary = 5;
  constexpr int kSteps = 4;
  constexpr int kStreams = 2;
  const ModelOptions options = model_options(cell, layers, 3, embedding);
  ReferenceNetwork network(options, kVocabulary, to_double(model::Parameters::initialized(options, kVocabulary, 3)));

  RandomBlock tokens(kVocabulary, kSteps, kStreams, 5);
  tokens.mask_target(3);
  const text::TokenBlock block = tokens.block();
  ReferenceState state = network.zero_state(kStreams);
  state.hidden = normals(state.hidden.size(), 0.5, 1);
  state.cell = normals(state.cell.size(), 0.5, 2);
  std::vector<std::vector<double>> dropout;
  for (int layer = 0; layer < layers; ++layer) {
    dropout.push_back(normals(static_cast<std::size_t>(kSteps * kStreams * options.hidden_size), 1, 10 + layer));
  }

  if (cell.cell != Cell::mingru) {
    Tensors multipliers;
    for (int layer = 0; layer < layers; ++layer) {
      const std::string name = fmt::format("{}.weight_hh_l{}", model::cell_name(cell.cell), layer);
      multipliers[name] = normals(network.parameters().at(name).size(), 1, 20 + layer);
    }
    network.drop_weights(std::move(multipliers));
  }

  const Tensors gradients = network.backward(block, network.forward(block, state, dropout), dropout);
  constexpr double kStep = 1e-5;
  for (auto& [name, values] : network.parameters()) {
    ASSERT_EQ(gradients.at(name).size(), values.size()) << name;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      values[i] = value + kStep;
      const double above = network.forward(block, state, dropout).loss;
      values[i] = value - kStep;
      const double below = network.forward(block, state, dropout).loss;
      values[i] = value;
      ASSERT_NEAR(gradients.at(name)[i], (above - below) / (2 * kStep), 1e-8) << name << '[' << i << ']';
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ReferenceNetworkGradients,
                         testing::Combine(testing::ValuesIn(kCellCases), testing::Values(1, 2, 3),
                                          testing::Values(0, 4)),
                         [](const auto& test) { return std::apply(case_name, test.param); });

TEST(ReferenceNetwork, LosesTheLogarithmOfTheAlphabetWithoutWeights) {
  const ModelOptions options = model_options(kCellCases[0], 1, 3, 0);
  const ReferenceNetwork network(options, 7, to_double(model::Parameters(options, 7)));
  RandomBlock tokens(7, 2, 3, 1);
  tokens.mask_target(4);
  const ReferenceResult result = network.forward(tokens.block(), network.zero_state(3));
  EXPECT_DOUBLE_EQ(result.loss, std::log(7.0));
  EXPECT_EQ(result.losses[4], 0);
}

}  // namespace
}  // namespace rune::test
