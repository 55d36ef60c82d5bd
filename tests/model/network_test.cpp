#include "model/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "model/cell.h"
#include "support/model_cases.h"
#include "support/reference_network.h"

// The kernels of the best instruction set are chosen once in a process, so these tests see one set at a time;
// CMakeLists.txt runs them again with the environment variable RUNE_ISA for the others.
namespace rune::model {
namespace {

using test::CellCase;
using test::kCellCases;
using test::RandomBlock;
using test::ReferenceNetwork;
using test::ReferenceResult;
using test::ReferenceState;

constexpr double kTolerance = 1e-5;   // relative to the norm of what is compared
constexpr double kNoise = 1e-8;       // what rounding leaves of a gradient that is zero in exact arithmetic
constexpr double kRounding = 1.2e-7;  // of a float, relative

struct Shape {
  int hidden_size;
  int batch_size;
  int sequence_length;
  int vocabulary_size;
  int embedding;  // used by the cases with an embedding
};

// Around the units in which kernels count: one, less than a vector, a vector, a little more, no multiple of anything.
constexpr std::array kShapes{Shape{1, 1, 1, 1, 1},       Shape{1, 5, 9, 2, 3},    Shape{7, 2, 2, 5, 17},
                             Shape{16, 7, 9, 33, 8},     Shape{20, 13, 2, 64, 5}, Shape{33, 5, 9, 17, 33},
                             Shape{100, 13, 2, 130, 24}, Shape{100, 1, 9, 90, 12}};

std::vector<float> normals(std::size_t count, std::uint64_t seed) {
  const RandomStream random(seed, RandomPurpose::sample);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(0.5 * random.normal(i));
  return values;
}

State random_state(const ModelOptions& options, int batch_size, std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(options.layers * batch_size * options.hidden_size);
  State state(options, batch_size);
  state.set(normals(count, seed), normals(options.cell == Cell::lstm ? count : 0, seed + 1));
  return state;
}

ReferenceState to_reference(const State& state) {
  const auto hidden = state.hidden_values();
  const auto cell = state.cell_values();
  return {{hidden.begin(), hidden.end()}, {cell.begin(), cell.end()}};
}

/// Everything that a training or evaluation step hands out. Compared with == where bits are promised.
struct Outcome {
  double sum = 0;
  std::int64_t characters = 0;
  std::vector<float> losses;
  std::vector<float> hidden;
  std::vector<float> cell;
  std::vector<float> gradients;  // the whole arena; empty after an evaluation

  bool operator==(const Outcome&) const = default;
};

Outcome outcome(const Loss& loss, std::size_t targets, const Workspace& workspace, const State& state) {
  const auto losses = workspace.losses().first(targets);
  return {loss.sum, loss.characters, {losses.begin(), losses.end()}, state.hidden_values(), state.cell_values(), {}};
}

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kDropoutStep = 7;

Outcome train(const Network& network, const text::TokenBlock& block, State& state, ThreadTeam& team) {
  Workspace workspace(network, block.sequence_length, block.batch_size, Workspace::Mode::training);
  Parameters gradients = network.parameters();  // to be overwritten
  const Loss loss = network.gradients(block, state, kSeed, kDropoutStep, workspace, gradients, team);
  Outcome result = outcome(loss, block.targets.size(), workspace, state);
  result.gradients.assign(gradients.arena().begin(), gradients.arena().end());
  return result;
}

Outcome evaluate(const Network& network, const text::TokenBlock& block, State& state, ThreadTeam& team,
                 int workspace_length = 0) {
  Workspace workspace(network, std::max(workspace_length, block.sequence_length), block.batch_size,
                      Workspace::Mode::evaluation);
  const Loss loss = network.evaluate(block, state, workspace, team);
  return outcome(loss, block.targets.size(), workspace, state);
}

Network make_network(const ModelOptions& options, int vocabulary_size, std::uint64_t seed = 1,
                     Precision precision = Precision::f32) {
  Network network(options, vocabulary_size, Parameters::initialized(options, vocabulary_size, seed));
  network.use(kernels::kernels(precision));
  return network;
}

/// Those that this processor and RUNE_ISA have.
std::vector<Precision> precisions() {
  std::vector<Precision> all{Precision::f32};
  const Precision best = kernels::kernels(Precision::automatic).precision;
  if (best != Precision::f32) all.push_back(best);
  return all;
}

/// How far from the twin's a vector may be, relative to its norm: factors of bf16 have 8 bits, and where what a unit of
/// a relu or a candidate of minGRU is made of lies near 0, they decide how steep it is there.
double tolerance(const ModelOptions& options, Precision precision) {
  if (precision != Precision::bf16) return kTolerance;
  const bool kinked = options.cell == Cell::loop || options.cell == Cell::loop_concat || options.cell == Cell::mingru ||
                      (options.cell == Cell::rnn && options.nonlinearity == Nonlinearity::relu);
  return kinked ? 0.16 : 0.02;
}

/// How far `found` is from `expected` in units of what is allowed: at most 1 is near enough.
template <class Values>
double excess(const Values& found, const std::vector<double>& expected, double tolerance, double noise = 0) {
  if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    norm += std::pow(expected[i], 2);
  }
  const double allowed = tolerance * std::sqrt(norm) + noise;
  return difference == 0 ? 0 : std::sqrt(difference) / allowed;
}

std::vector<float> step_logits(const Network& network, const text::TokenBlock& block, State& state,
                               ThreadTeam* team = nullptr) {
  std::vector<float> all;
  Matrix logits(static_cast<std::size_t>(block.batch_size), static_cast<std::size_t>(network.vocabulary_size()));
  for (int t = 0; t < block.sequence_length; ++t) {
    const auto first = static_cast<std::size_t>(t * block.batch_size);
    network.step(block.inputs.subspan(first, static_cast<std::size_t>(block.batch_size)), state, logits, team);
    all.insert(all.end(), logits.values().begin(), logits.values().end());
  }
  return all;
}

/// The worst excess over every number that the engine hands out for a block, and the name of where it stands.
struct Worst {
  double excess = 0;
  std::string where;
  void add(double value, const std::string& name) {
    if (value > excess) *this = {value, name};
  }
};

Worst compare_with_twin(const ModelOptions& options, int vocabulary_size, const text::TokenBlock& block,
                        std::uint64_t seed, Precision precision = Precision::f32) {
  const Network network = make_network(options, vocabulary_size, seed, precision);
  const double within = tolerance(options, precision);
  const double rounding = kRounding / kTolerance * within;
  const ReferenceNetwork twin(options, vocabulary_size, test::to_double(network.parameters()));
  std::vector<std::vector<double>> dropout;
  ReferenceNetwork training_twin = twin;
  test::Tensors kept_weights;
  for (int layer = 0; layer < options.layers; ++layer) {
    const auto multipliers =
        dropout_multipliers(options, layer, block.sequence_length, block.batch_size, kSeed, kDropoutStep);
    dropout.emplace_back(multipliers.begin(), multipliers.end());
    if (options.weight_drop == 0) continue;
    const auto kept = weight_drop_multipliers(options, layer, kSeed, kDropoutStep);
    kept_weights[std::string(cell_name(options.cell)) + ".weight_hh_l" + std::to_string(layer)].assign(kept.begin(),
                                                                                                       kept.end());
  }
  training_twin.drop_weights(std::move(kept_weights));
  const State initial = random_state(options, block.batch_size, seed + 100);
  ThreadTeam team(2);
  Worst worst;

  const auto check_forward = [&](const Outcome& found, const ReferenceResult& expected, const std::string& mode) {
    worst.add(excess(found.losses, expected.losses, within, 1e-7), mode + " losses");
    const double mean = found.characters == 0 ? 0 : found.sum / static_cast<double>(found.characters);
    worst.add(excess(std::vector{mean}, {expected.loss}, within, 1e-7), mode + " loss");
    worst.add(excess(found.hidden, expected.state.hidden, within, kNoise), mode + " hidden state");
    worst.add(excess(found.cell, expected.state.cell, within, kNoise), mode + " cell state");
  };

  State state = random_state(options, block.batch_size, seed + 100);
  Workspace workspace(network, block.sequence_length, block.batch_size, Workspace::Mode::training);
  Parameters gradients(options, vocabulary_size);
  const Loss loss = network.gradients(block, state, kSeed, kDropoutStep, workspace, gradients, team);
  const ReferenceResult trained = training_twin.forward(block, to_reference(initial), dropout);
  check_forward(outcome(loss, block.targets.size(), workspace, state), trained, "training");
  // A tensor's gradient may be small only because its terms cancel; what rounding leaves of them follows the whole.
  const auto expected_gradients = training_twin.backward(block, trained, dropout);
  double whole = 0;
  for (const auto& [name, expected] : expected_gradients)
    whole += std::inner_product(expected.begin(), expected.end(), expected.begin(), 0.0);
  const double noise = kNoise + rounding * std::sqrt(whole);
  for (const auto& [name, expected] : expected_gradients)
    worst.add(excess(gradients.values(name), expected, within, noise), "gradient of " + name);

  const ReferenceResult evaluated = twin.forward(block, to_reference(initial));
  state = random_state(options, block.batch_size, seed + 100);
  check_forward(evaluate(network, block, state, team), evaluated, "evaluation");

  state = random_state(options, block.batch_size, seed + 100);
  worst.add(excess(step_logits(network, block, state), evaluated.logits, within, kNoise), "logits of step");
  worst.add(excess(state.hidden_values(), evaluated.state.hidden, within, kNoise), "hidden state after step");
  worst.add(excess(state.cell_values(), evaluated.state.cell, within, kNoise), "cell state after step");
  return worst;
}

using CellLayersEmbedding = std::tuple<CellCase, int, bool>;

class NetworkCells : public testing::TestWithParam<CellLayersEmbedding> {
 protected:
  static ModelOptions options(const Shape& shape) {
    const auto& [cell, layers, embedding] = GetParam();
    return test::model_options(cell, layers, shape.hidden_size, embedding ? shape.embedding : 0);
  }
  static ModelOptions with_all_masks(ModelOptions options) {
    options.dropout = 0.3F;
    options.locked_dropout = true;
    options.weight_drop = traits_of(options.cell).recurrent ? 0.2F : 0;
    return options;
  }
};

TEST_P(NetworkCells, AgreesWithTheTwin) {
  for (const Shape& shape : kShapes) {
    RandomBlock tokens(shape.vocabulary_size, shape.sequence_length, shape.batch_size, 1);
    for (const float dropout : {0.0F, 0.4F}) {
      ModelOptions with_dropout = options(shape);
      with_dropout.dropout = dropout;
      const Worst worst = compare_with_twin(with_dropout, shape.vocabulary_size, tokens.block(), 3);
      EXPECT_LE(worst.excess, 1) << worst.where << ", hidden size " << shape.hidden_size << ", dropout " << dropout;
    }
  }
}

// Within what factors of 8 bits allow, and not by chance: farther than f32 is.
TEST_P(NetworkCells, AgreesWithTheTwinInBf16) {
  if (kernels::kernels(Precision::automatic).precision == Precision::f32) GTEST_SKIP() << "no bf16 here";
  constexpr Shape kShape{48, 20, 12, 30, 9};
  const RandomBlock tokens(kShape.vocabulary_size, kShape.sequence_length, kShape.batch_size, 1);
  const ModelOptions model = with_all_masks(options(kShape));
  const Worst worst = compare_with_twin(model, kShape.vocabulary_size, tokens.block(), 3, Precision::bf16);
  EXPECT_LE(worst.excess, 1) << worst.where;
  EXPECT_GE(worst.excess, kTolerance / tolerance(model, Precision::bf16)) << "computed in f32?";
}

TEST_P(NetworkCells, AgreesWithTheTwinWithLockedDropoutAndDroppedWeights) {
  for (const Shape& shape : {kShapes[2], kShapes[3], kShapes[5]}) {
    const RandomBlock tokens(shape.vocabulary_size, shape.sequence_length, shape.batch_size, 1);
    const Worst worst = compare_with_twin(with_all_masks(options(shape)), shape.vocabulary_size, tokens.block(), 3);
    EXPECT_LE(worst.excess, 1) << worst.where << ", hidden size " << shape.hidden_size;
  }
}

TEST_P(NetworkCells, AgreesWithTheTwinWhereTargetsAreNotCounted) {
  constexpr Shape kShape{20, 5, 9, 12, 6};
  RandomBlock tokens(kShape.vocabulary_size, kShape.sequence_length, kShape.batch_size, 2);
  for (const int index : {0, 3, 4, 17, 40, 41, 42, 43, 44}) tokens.mask_target(index);  // the last step wholly
  const Worst worst = compare_with_twin(options(kShape), kShape.vocabulary_size, tokens.block(), 4);
  EXPECT_LE(worst.excess, 1) << worst.where;
}

TEST_P(NetworkCells, GivesTheSameBitsOnAnyNumberOfThreads) {
  // The last four have fewer streams than threads, which then share the units.
  for (const Shape& shape : {Shape{33, 13, 4, 45, 9}, Shape{16, 2, 5, 20, 4}, Shape{50, 1, 6, 30, 20},
                             Shape{70, 1, 60, 30, 7}, Shape{140, 2, 11, 25, 5}, Shape{256, 3, 5, 30, 9}}) {
    const ModelOptions with_dropout = with_all_masks(options(shape));
    for (const Precision precision : precisions()) {
      const Network network = make_network(with_dropout, shape.vocabulary_size, 1, precision);
      RandomBlock tokens(shape.vocabulary_size, shape.sequence_length, shape.batch_size, 3);
      for (const int index : {0, 1, 4}) tokens.mask_target(index);
      const auto outcomes = [&](int threads) {
        ThreadTeam team(threads, /*retreats=*/false);
        State trained = random_state(with_dropout, shape.batch_size, 5);
        State evaluated = random_state(with_dropout, shape.batch_size, 5);
        State stepped = random_state(with_dropout, shape.batch_size, 5);
        const auto logits = step_logits(network, tokens.block(), stepped, threads > 1 ? &team : nullptr);
        return std::tuple(train(network, tokens.block(), trained, team),
                          evaluate(network, tokens.block(), evaluated, team), logits,
                          std::pair(stepped.hidden_values(), stepped.cell_values()));
      };
      const auto expected = outcomes(1);
      for (const int threads : {2, 3, 4, 8}) {
        const auto found = outcomes(threads);
        EXPECT_TRUE(std::get<0>(found) == std::get<0>(expected)) << "training, " << threads << " threads";
        EXPECT_TRUE(std::get<1>(found) == std::get<1>(expected)) << "evaluation, " << threads << " threads";
        EXPECT_TRUE(std::get<2>(found) == std::get<2>(expected)) << "step by step, " << threads << " threads";
        EXPECT_TRUE(std::get<3>(found) == std::get<3>(expected)) << "states, " << threads << " threads";
      }
    }
  }
}

TEST_P(NetworkCells, GivesARowTheSameBitsInAnyBatch) {
  constexpr Shape kShape{33, 13, 5, 45, 9};
  const ModelOptions model = options(kShape);
  for (const Precision precision : precisions()) {
    const Network network = make_network(model, kShape.vocabulary_size, 1, precision);
    const RandomBlock tokens(kShape.vocabulary_size, kShape.sequence_length, kShape.batch_size, 4);
    const text::TokenBlock block = tokens.block();
    const State initial = random_state(model, kShape.batch_size, 6);
    ThreadTeam team(2);

    State in_batch = random_state(model, kShape.batch_size, 6);
    State stepped_in_batch = random_state(model, kShape.batch_size, 6);
    const Outcome all = evaluate(network, block, in_batch, team);
    const std::vector<float> all_logits = step_logits(network, block, stepped_in_batch);

    for (const int batch_size : {1, 2, 3, 7, 8}) {
      const int first = 13 - batch_size;  // the last streams of the batch
      std::vector<std::int32_t> inputs;
      std::vector<std::int32_t> targets;
      std::vector<float> losses;
      std::vector<float> logits;
      for (int t = 0; t < block.sequence_length; ++t) {
        for (int b = first; b < kShape.batch_size; ++b) {
          const auto i = static_cast<std::size_t>(t * kShape.batch_size + b);
          inputs.push_back(block.inputs[i]);
          targets.push_back(block.targets[i]);
          losses.push_back(all.losses[i]);
          const auto row = all_logits.begin() + static_cast<std::ptrdiff_t>(i) * kShape.vocabulary_size;
          logits.insert(logits.end(), row, row + kShape.vocabulary_size);
        }
      }
      const text::TokenBlock part{block.sequence_length, batch_size, inputs, targets};
      State alone(model, batch_size);
      State stepped_alone(model, batch_size);
      State expected(model, batch_size);
      State stepped_expected(model, batch_size);
      for (int b = 0; b < batch_size; ++b) {
        alone.copy_stream(initial, first + b, b);
        stepped_alone.copy_stream(initial, first + b, b);
        expected.copy_stream(in_batch, first + b, b);
        stepped_expected.copy_stream(stepped_in_batch, first + b, b);
      }
      EXPECT_EQ(evaluate(network, part, alone, team).losses, losses) << batch_size;
      EXPECT_EQ(alone.hidden_values(), expected.hidden_values()) << batch_size;
      EXPECT_EQ(alone.cell_values(), expected.cell_values()) << batch_size;
      EXPECT_EQ(step_logits(network, part, stepped_alone), logits) << batch_size;
      EXPECT_EQ(stepped_alone.hidden_values(), stepped_expected.hidden_values()) << batch_size;
      EXPECT_EQ(stepped_alone.cell_values(), stepped_expected.cell_values()) << batch_size;
    }
  }
}

TEST_P(NetworkCells, CarriesTheStateFromBlockToBlock) {
  constexpr Shape kShape{20, 5, 9, 12, 6};
  const ModelOptions model = options(kShape);
  const Network network = make_network(model, kShape.vocabulary_size);
  const RandomBlock tokens(kShape.vocabulary_size, kShape.sequence_length, kShape.batch_size, 5);
  ThreadTeam team(2);
  State long_state = random_state(model, kShape.batch_size, 7);
  State state = random_state(model, kShape.batch_size, 7);
  const Outcome whole = evaluate(network, tokens.block(), long_state, team);
  const Outcome first = evaluate(network, tokens.part(0, 4), state, team);
  const Outcome second = train(network, tokens.part(4, 9), state, team);
  std::vector<float> losses = first.losses;
  losses.insert(losses.end(), second.losses.begin(), second.losses.end());
  EXPECT_EQ(losses, whole.losses);
  EXPECT_EQ(second.hidden, whole.hidden);
  EXPECT_EQ(second.cell, whole.cell);
}

TEST_P(NetworkCells, FitsAShortBlockIntoALargeWorkspace) {
  constexpr Shape kShape{20, 5, 3, 12, 6};
  const ModelOptions model = with_all_masks(options(kShape));
  const Network network = make_network(model, kShape.vocabulary_size);
  const RandomBlock tokens(kShape.vocabulary_size, kShape.sequence_length, kShape.batch_size, 6);
  const RandomBlock before(kShape.vocabulary_size, 9, kShape.batch_size, 7);
  ThreadTeam team(2);

  State small = random_state(model, kShape.batch_size, 8);
  const Outcome expected = train(network, tokens.block(), small, team);
  State large = random_state(model, kShape.batch_size, 9);
  Workspace workspace(network, 9, kShape.batch_size, Workspace::Mode::training);
  Parameters gradients(model, kShape.vocabulary_size);
  network.gradients(before.block(), large, 1, 0, workspace, gradients, team);
  large = random_state(model, kShape.batch_size, 8);
  const Loss loss = network.gradients(tokens.block(), large, kSeed, kDropoutStep, workspace, gradients, team);
  Outcome found = outcome(loss, tokens.block().targets.size(), workspace, large);
  found.gradients.assign(gradients.arena().begin(), gradients.arena().end());
  EXPECT_TRUE(found == expected);

  State evaluated_small = random_state(model, kShape.batch_size, 8);
  State evaluated_large = random_state(model, kShape.batch_size, 8);
  EXPECT_TRUE(evaluate(network, tokens.block(), evaluated_small, team) ==
              evaluate(network, tokens.block(), evaluated_large, team, 9));
}

TEST_P(NetworkCells, EvaluatesToTheTrainingLossWithoutDropout) {
  constexpr Shape kShape{33, 7, 9, 40, 6};
  const ModelOptions model = options(kShape);
  const Network network = make_network(model, kShape.vocabulary_size);
  const RandomBlock tokens(kShape.vocabulary_size, kShape.sequence_length, kShape.batch_size, 8);
  ThreadTeam team(2);
  State trained = random_state(model, kShape.batch_size, 10);
  State evaluated = random_state(model, kShape.batch_size, 10);
  Outcome training = train(network, tokens.block(), trained, team);
  training.gradients.clear();
  EXPECT_TRUE(evaluate(network, tokens.block(), evaluated, team) == training);
}

INSTANTIATE_TEST_SUITE_P(All, NetworkCells,
                         testing::Combine(testing::ValuesIn(kCellCases), testing::Values(1, 2, 3), testing::Bool()),
                         [](const auto& test) { return std::apply(test::case_name, test.param); });

// Without relu, which the loop cells have as well: its derivative jumps, and rounding may fall on the other side.
RC_GTEST_PROP(Network, AgreesWithTheTwinForAnyShape, ()) {
  const auto between = [](int least, int most) { return *rc::gen::inRange(least, most + 1); };
  const CellCase cell = *rc::gen::element(kCellCases[0], kCellCases[2], kCellCases[3]);
  ModelOptions options = test::model_options(cell, between(1, 3), between(1, 70), between(0, 40));
  options.dropout = *rc::gen::element(0.0F, 0.5F);
  options.output_dropout = *rc::gen::element(0.0F, 0.2F);
  options.locked_dropout = *rc::gen::arbitrary<bool>();
  options.weight_drop = *rc::gen::element(0.0F, 0.3F);
  const int vocabulary_size = between(2, 130);
  const RandomBlock tokens(vocabulary_size, between(1, 9), between(1, 13), *rc::gen::arbitrary<std::uint64_t>());
  const Worst worst = compare_with_twin(options, vocabulary_size, tokens.block(), 5);
  RC_LOG() << worst.where << ": " << worst.excess;
  RC_ASSERT(worst.excess <= 1);
}

TEST(Network, HasNoLossAndNoGradientWithoutTargets) {
  const ModelOptions options = test::model_options(kCellCases[3], 2, 20, 0);
  const Network network = make_network(options, 12);
  RandomBlock tokens(12, 3, 2, 1);
  for (int i = 0; i < 6; ++i) tokens.mask_target(i);
  ThreadTeam team(2);
  State state(options, 2);
  const Outcome result = train(network, tokens.block(), state, team);
  EXPECT_EQ(result.sum, 0);
  EXPECT_EQ(result.characters, 0);
  EXPECT_THAT(result.gradients, testing::Each(0.0F));
}

TEST(Network, TheGradientOfASumIsThatOfTheMeanTimesTheTargets) {
  const ModelOptions options = test::model_options(kCellCases[3], 2, 20, 4);
  const Network network = make_network(options, 12);
  RandomBlock tokens(12, 3, 2, 1);
  for (int i = 0; i < 4; ++i) tokens.mask_target(i);  // all but the last step: two targets are left
  ThreadTeam team(2);
  const auto gradients_of = [&](Reduction reduction) {
    Workspace workspace(network, 3, 2, Workspace::Mode::training);
    Parameters gradients = network.parameters();
    State state(options, 2);
    network.gradients(tokens.block(), state, kSeed, kDropoutStep, workspace, gradients, team, reduction);
    return std::vector<float>(gradients.arena().begin(), gradients.arena().end());
  };
  std::vector<float> expected = gradients_of(Reduction::mean);
  for (float& value : expected) value *= 2;  // exact
  EXPECT_EQ(gradients_of(Reduction::sum), expected);
}

TEST(Network, UsesChangedParametersAfterPacking) {
  const ModelOptions options = test::model_options(kCellCases[3], 2, 20, 6);
  const Network expected = make_network(options, 12, 2);
  Network changed = make_network(options, 12, 1);
  ThreadTeam team(3);
  std::ranges::copy(expected.parameters().arena(), changed.mutable_parameters().arena().begin());
  changed.pack(team);
  const RandomBlock tokens(12, 4, 3, 1);
  State state(options, 3);
  State other(options, 3);
  EXPECT_TRUE(train(changed, tokens.block(), state, team) == train(expected, tokens.block(), other, team));
  state.zero();
  other.zero();
  EXPECT_EQ(step_logits(changed, tokens.block(), state), step_logits(expected, tokens.block(), other));
}

TEST(Network, KeepsThePaddingOfGradientsZero) {
  const ModelOptions options = test::model_options(kCellCases[2], 2, 7, 5);
  const Network network = make_network(options, 13);
  const RandomBlock tokens(13, 4, 3, 1);
  ThreadTeam team(2);
  State state(options, 3);
  Workspace workspace(network, 4, 3, Workspace::Mode::training);
  Parameters gradients(options, 13);
  network.gradients(tokens.block(), state, 1, 1, workspace, gradients, team);
  for (const Tensor& tensor : gradients.tensors()) std::ranges::fill(gradients.values(tensor), 0.0F);
  EXPECT_THAT(gradients.arena(), testing::Each(0.0F));
}

TEST(Network, PackedForInferenceComputesTheSameAndRefusesToLearn) {
  for (const CellCase& cell : kCellCases) {
    const ModelOptions options = test::model_options(cell, 2, 20, 0);
    const Parameters parameters = Parameters::initialized(options, 12, 1);
    const Network trained(options, 12, parameters);
    Network network(options, 12, parameters, Purpose::inference);
    const std::vector<std::int32_t> tokens{3, 7};
    Matrix expected(2, 12);
    Matrix logits(2, 12);
    State state(options, 2);
    trained.step(tokens, state, expected);
    state.zero();
    network.step(tokens, state, logits);
    EXPECT_TRUE(std::ranges::equal(logits.values(), expected.values()));

    const std::vector<std::int32_t> targets{7, 1};
    const text::TokenBlock block{.sequence_length = 1, .batch_size = 2, .inputs = tokens, .targets = targets};
    Workspace workspace(network, 1, 2, Workspace::Mode::training);
    Parameters gradients(options, 12);
    ThreadTeam team(1);
    EXPECT_THROW(network.gradients(block, state, 1, 1, workspace, gradients, team), InputError);
    network.use(network.kernels(), Purpose::training);
    EXPECT_GT(network.gradients(block, state, 1, 1, workspace, gradients, team).sum, 0);
  }
}

TEST(Network, RefusesOptionsThatNoModelHas) {
  ModelOptions options = test::model_options(kCellCases[3], 1, 20, 0);
  Parameters parameters(options, 12);
  options.dropout = 1.5F;
  EXPECT_THROW(Network(options, 12, parameters), InputError);
}

class NetworkDropout : public testing::Test {
 protected:
  static constexpr int kSteps = 50;
  static constexpr int kStreams = 40;
  static constexpr int kRows = kSteps * kStreams;
  static constexpr float kBetween = 0.3F;
  static constexpr float kOutput = 0.6F;

  NetworkDropout() : options_(test::model_options(kCellCases[3], 3, 50, 0)) {
    options_.dropout = kBetween;
    options_.output_dropout = kOutput;
  }
  [[nodiscard]] std::vector<float> multipliers(int layer, std::uint64_t seed = 1, std::uint64_t step = 1) const {
    return dropout_multipliers(options_, layer, kSteps, kStreams, seed, step);
  }
  // Probabilities are kept to 1/65536.
  static auto scale_of(float dropped) { return testing::FloatNear(1 / (1 - dropped), 1e-4F); }
  static double share(std::size_t count, std::size_t total) {
    return static_cast<double>(count) / static_cast<double>(total);
  }
  // Five standard deviations of a share of kRows * 50 draws.
  static double allowed(double probability) { return 5 * std::sqrt(probability * (1 - probability) / (kRows * 50)); }

  // Positions kept by both masks: the product of the shares if they are independent.
  static void expect_independent(std::span<const float> a, std::span<const float> b, double kept_a, double kept_b) {
    std::size_t both = 0;
    const std::size_t count = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < count; ++i) both += a[i] != 0 && b[i] != 0 ? 1 : 0;
    EXPECT_NEAR(share(both, count), kept_a * kept_b, allowed(kept_a * kept_b));
  }

  ModelOptions options_;
};

TEST_F(NetworkDropout, KeepsTheAskedShareAndScalesIt) {
  for (const int layer : {0, 1, 2}) {
    const float dropped = layer == 2 ? kOutput : kBetween;
    const auto values = multipliers(layer);
    ASSERT_EQ(values.size(), std::size_t{kRows} * 50);
    EXPECT_THAT(values, testing::Each(testing::AnyOf(0.0F, scale_of(dropped))));
    const auto zeros = static_cast<std::size_t>(std::ranges::count(values, 0.0F));
    EXPECT_NEAR(share(zeros, values.size()), dropped, allowed(dropped));
  }
}

TEST_F(NetworkDropout, DrawsLayersStepsSeedsAndNeighboursIndependently) {
  constexpr double kKept = 1 - kBetween;
  const auto values = multipliers(0);
  expect_independent(values, multipliers(1), kKept, kKept);
  expect_independent(values, multipliers(2), kKept, 1 - kOutput);
  expect_independent(values, multipliers(0, 1, 2), kKept, kKept);
  expect_independent(values, multipliers(0, 2, 1), kKept, kKept);
  expect_independent(values, std::span(values).subspan(1), kKept, kKept);   // the next unit
  expect_independent(values, std::span(values).subspan(50), kKept, kKept);  // the next row
}

TEST_F(NetworkDropout, IsAFunctionOfSeedAndStep) {
  EXPECT_EQ(multipliers(0), multipliers(0));
  EXPECT_NE(multipliers(0), multipliers(0, 1, 2));
}

TEST_F(NetworkDropout, KeepsEverythingAtZero) {
  options_.dropout = 0;
  options_.output_dropout.reset();
  for (const int layer : {0, 1, 2}) EXPECT_THAT(multipliers(layer), testing::Each(1.0F));
}

TEST_F(NetworkDropout, UsesTheSameProbabilityBeforeTheProjectionUnlessTold) {
  options_.output_dropout.reset();
  EXPECT_THAT(multipliers(2), testing::Contains(scale_of(kBetween)));
}

TEST_F(NetworkDropout, LocksTheMaskOfTheFirstStep) {
  const auto unlocked = multipliers(0);
  options_.locked_dropout = true;
  const auto values = multipliers(0);
  constexpr std::size_t kStep = std::size_t{kStreams} * 50;
  EXPECT_TRUE(std::equal(values.begin(), values.begin() + kStep, unlocked.begin()));
  for (std::size_t step = kStep; step < values.size(); step += kStep)
    ASSERT_TRUE(std::equal(values.begin(), values.begin() + kStep, values.begin() + static_cast<std::ptrdiff_t>(step)));
  EXPECT_NE(multipliers(0, 1, 2), values);
}

TEST_F(NetworkDropout, DropsWeightsBySeedStepAndLayer) {
  options_.weight_drop = kBetween;
  const auto weights = [&](int layer, std::uint64_t seed, std::uint64_t step) {
    return weight_drop_multipliers(options_, layer, seed, step);
  };
  const auto values = weights(0, 1, 1);
  ASSERT_EQ(values.size(), std::size_t{4} * 50 * 50);
  EXPECT_THAT(values, testing::Each(testing::AnyOf(0.0F, scale_of(kBetween))));
  const double kept = 1 - share(static_cast<std::size_t>(std::ranges::count(values, 0.0F)), values.size());
  constexpr double kKept = 1 - kBetween;
  EXPECT_NEAR(kept, kKept, 5 * std::sqrt(kKept * (1 - kKept) / 10'000));
  EXPECT_EQ(weights(0, 1, 1), values);
  EXPECT_NE(weights(1, 1, 1), values);
  EXPECT_NE(weights(0, 2, 1), values);
  EXPECT_NE(weights(0, 1, 2), values);
  // Nor are they those of the outputs, which have other keys.
  EXPECT_FALSE(std::equal(values.begin(), values.end(), multipliers(0).begin()));
}

TEST(Network, WeightDropLeavesEvaluationAndTheWeightsAlone) {
  ModelOptions options = test::model_options(kCellCases[3], 2, 20, 6);
  const Network whole = make_network(options, 12);
  options.weight_drop = 0.5F;
  const Network dropping = make_network(options, 12);
  const RandomBlock tokens(12, 4, 3, 1);
  ThreadTeam team(2);
  State state(options, 3);
  State other(options, 3);
  const Outcome trained = train(dropping, tokens.block(), state, team);
  EXPECT_NE(trained.losses, train(whole, tokens.block(), other, team).losses);
  state.zero();
  other.zero();
  EXPECT_TRUE(evaluate(dropping, tokens.block(), state, team) == evaluate(whole, tokens.block(), other, team));
  EXPECT_EQ(step_logits(dropping, tokens.block(), state), step_logits(whole, tokens.block(), other));
}

TEST(State, KeepsPyTorchsForm) {
  const ModelOptions options = test::model_options(kCellCases[3], 2, 20, 0);
  const auto hidden = normals(std::size_t{2} * 3 * 20, 1);
  const auto cell = normals(std::size_t{2} * 3 * 20, 2);
  State state(options, 3);
  EXPECT_THAT(state.hidden_values(), testing::Each(0.0F));
  state.set(hidden, cell);
  EXPECT_EQ(state.batch_size(), 3);
  EXPECT_EQ(state.hidden_values(), hidden);
  EXPECT_EQ(state.cell_values(), cell);
  EXPECT_EQ(state.hidden[1].row(2)[5], hidden[(1 * 3 + 2) * 20 + 5]);
  state.zero();
  EXPECT_THAT(state.hidden_values(), testing::Each(0.0F));
  EXPECT_THAT(state.cell_values(), testing::Each(0.0F));
}

TEST(State, CopiesOneStream) {
  const ModelOptions options = test::model_options(kCellCases[3], 2, 20, 0);
  const State from = random_state(options, 3, 1);
  State to(options, 2);
  to.copy_stream(from, 2, 0);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (std::size_t unit = 0; unit < 20; ++unit) {
      EXPECT_EQ(to.hidden[layer].row(0)[unit], from.hidden[layer].row(2)[unit]);
      EXPECT_EQ(to.cell[layer].row(0)[unit], from.cell[layer].row(2)[unit]);
      EXPECT_EQ(to.hidden[layer].row(1)[unit], 0);
    }
  }
}

TEST(State, HasNoCellsUnlessItIsAnLstm) {
  const State state(test::model_options(kCellCases[2], 2, 20, 0), 3);
  EXPECT_TRUE(state.cell.empty());
  EXPECT_TRUE(state.cell_values().empty());
}

}  // namespace
}  // namespace rune::model
