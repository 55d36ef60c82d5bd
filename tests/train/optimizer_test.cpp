#include "train/optimizer.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rune/error.h>

#include "support/allocations.h"
#include "support/reference_optimizer.h"
#include "support/temporary_folder.h"

namespace rune::train {
namespace {

const ModelOptions kModel{.cell = Cell::gru, .layers = 2, .hidden_size = 37};
constexpr int kVocabulary = 19;

std::vector<OptimizerOptions> all_optimizers() {
  return {
      {.kind = OptimizerKind::adam},
      {.kind = OptimizerKind::adam, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.1},
      {.kind = OptimizerKind::adamw},
      {.kind = OptimizerKind::adamw, .weight_decay = 0.3},
      {.kind = OptimizerKind::sgd},
      {.kind = OptimizerKind::sgd, .weight_decay = 0.1, .momentum = 0.9},
      {.kind = OptimizerKind::sgd, .weight_decay = 0.1, .momentum = 0.9, .nesterov = true},
      {.kind = OptimizerKind::rmsprop},
      {.kind = OptimizerKind::rmsprop, .weight_decay = 0.1, .momentum = 0.8, .alpha = 0.9},
  };
}

model::Parameters random_parameters(std::uint64_t seed) {
  return model::Parameters::initialized(kModel, kVocabulary, seed);
}

std::vector<double> values_of(const model::Parameters& parameters) {
  return {parameters.arena().begin(), parameters.arena().end()};
}

std::vector<float> bits_of(const model::Parameters& parameters) {
  return {parameters.arena().begin(), parameters.arena().end()};
}

TEST(Optimizer, FollowsTheDoublePrecisionTwin) {
  constexpr double kScale = 0.5;
  ThreadTeam team(2);
  for (const OptimizerOptions& options : all_optimizers()) {
    SCOPED_TRACE(testing::Message() << static_cast<int>(options.kind) << " momentum " << options.momentum);
    model::Parameters parameters = random_parameters(1);
    std::vector<double> expected = values_of(parameters);
    Optimizer optimizer(options, parameters);
    test::ReferenceOptimizer reference(options, expected.size());
    for (int step = 0; step < 30; ++step) {
      const model::Parameters gradients = random_parameters(static_cast<std::uint64_t>(100 + step));
      std::vector<double> scaled = values_of(gradients);
      for (double& value : scaled) value *= kScale;
      const double rate = 0.01 / (1 + step);
      optimizer.step(parameters, gradients, rate, kScale, team);
      reference.step(expected, scaled, rate);
    }
    EXPECT_EQ(optimizer.steps(), 30);
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      difference += std::pow(parameters.arena()[i] - expected[i], 2);
      size += std::pow(expected[i], 2);
    }
    EXPECT_LT(std::sqrt(difference / size), 2e-6);
  }
}

TEST(Optimizer, BitsDoNotDependOnTheNumberOfThreads) {
  for (const OptimizerOptions& options : all_optimizers()) {
    std::vector<std::vector<float>> results;
    std::vector<double> norms;
    for (const int threads : {1, 2, 3}) {
      ThreadTeam team(threads);
      model::Parameters parameters = random_parameters(1);
      Optimizer optimizer(options, parameters);
      for (std::uint64_t step = 0; step < 3; ++step) optimizer.step(parameters, random_parameters(step), 0.01, 1, team);
      results.push_back(bits_of(parameters));
      norms.push_back(optimizer.norm(parameters, team));
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
    EXPECT_EQ(norms[0], norms[1]);
    EXPECT_EQ(norms[0], norms[2]);
  }
}

TEST(Optimizer, StepsAndNormsAllocateNothing) {
  ThreadTeam team(2);
  for (const OptimizerOptions& options : all_optimizers()) {
    model::Parameters parameters = random_parameters(1);
    const model::Parameters gradients = random_parameters(2);
    Optimizer optimizer(options, parameters);
    const std::int64_t before = test::allocations();
    for (int step = 0; step < 3; ++step) {
      optimizer.step(parameters, gradients, 0.01, clip_factor(optimizer.norm(gradients, team), 1), team);
    }
    EXPECT_EQ(test::allocations(), before);
  }
}

TEST(Optimizer, NormIsThatOfAllValues) {
  ThreadTeam team(2);
  model::Parameters values = random_parameters(3);
  double sum = 0;
  for (const float value : values.arena()) sum += double{value} * value;
  Optimizer optimizer({}, values);
  EXPECT_NEAR(optimizer.norm(values, team), std::sqrt(sum), 1e-12 * std::sqrt(sum));
}

TEST(Optimizer, NormShowsEveryValueThatIsNotFinite) {
  ThreadTeam team(2);
  const model::Parameters finite = random_parameters(3);
  Optimizer optimizer({}, finite);
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::size_t place : {std::size_t{0}, finite.arena().size() / 2, finite.arena().size() - 1}) {
      model::Parameters values = finite;
      values.arena()[place] = bad;
      EXPECT_FALSE(std::isfinite(optimizer.norm(values, team))) << bad << " at " << place;
    }
  }
  model::Parameters large = finite;
  large.arena()[0] = std::numeric_limits<float>::max();
  EXPECT_TRUE(std::isfinite(optimizer.norm(large, team)));
}

TEST(Optimizer, SeesMomentsThatLeaveTheRangeOfFloat) {
  ThreadTeam team(1);
  model::Parameters parameters = random_parameters(1);
  Optimizer optimizer({}, parameters);
  model::Parameters gradients = parameters;
  optimizer.step(parameters, gradients, 1e-3, 1, team);
  EXPECT_TRUE(optimizer.finite(team));
  gradients.arena()[0] = 1e30F;
  optimizer.step(parameters, gradients, 1e-3, 1, team);
  EXPECT_FALSE(optimizer.finite(team));
}

TEST(Optimizer, ClipFactorIsThatOfClipGradNorm) {
  EXPECT_EQ(clip_factor(4, 5), 1);
  EXPECT_EQ(clip_factor(10, 5), 5 / (10 + 1e-6));
  EXPECT_EQ(clip_factor(1e9, 0), 1);
  EXPECT_EQ(clip_factor(0, 5), 1);
}

TEST(Optimizer, MomentsGoThroughAFile) {
  const test::TemporaryFolder folder;
  ThreadTeam team(1);
  for (const OptimizerOptions& options : all_optimizers()) {
    model::Parameters parameters = random_parameters(1);
    Optimizer optimizer(options, parameters);
    for (std::uint64_t step = 0; step < 3; ++step) optimizer.step(parameters, random_parameters(step), 0.01, 1, team);
    format::write_safetensors(folder / "moments", optimizer.tensors(), {});

    model::Parameters copy = parameters;
    Optimizer restored(options, copy);
    restored.restore(format::SafetensorsFile::read(folder / "moments"), 3);
    optimizer.step(parameters, random_parameters(9), 0.01, 1, team);
    restored.step(copy, random_parameters(9), 0.01, 1, team);
    EXPECT_EQ(bits_of(parameters), bits_of(copy));
  }
}

TEST(Optimizer, MomentsCarryPyTorchsNames) {
  const auto parameters = random_parameters(1);
  const auto names = [&](const OptimizerOptions& options) {
    const Optimizer optimizer(options, parameters);
    std::vector<std::string> found;
    for (const auto& tensor : optimizer.tensors()) {
      if (tensor.name.ends_with(".fc.bias")) found.push_back(tensor.name);
    }
    return found;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({}), (Names{"optimizer.exp_avg.fc.bias", "optimizer.exp_avg_sq.fc.bias"}));
  EXPECT_EQ(names({.kind = OptimizerKind::sgd}), Names{});
  EXPECT_EQ(names({.kind = OptimizerKind::sgd, .momentum = 0.9}), Names{"optimizer.momentum_buffer.fc.bias"});
  EXPECT_EQ(names({.kind = OptimizerKind::rmsprop, .momentum = 0.9}),
            (Names{"optimizer.square_avg.fc.bias", "optimizer.momentum_buffer.fc.bias"}));
}

TEST(Optimizer, RefusesMomentsThatAreNotItsOwn) {
  const test::TemporaryFolder folder;
  const auto parameters = random_parameters(1);
  const auto refuses = [&](const OptimizerOptions& options) {
    Optimizer optimizer(options, parameters);
    EXPECT_THROW(optimizer.restore(format::SafetensorsFile::read(folder / "moments"), 1), InputError);
  };
  format::write_safetensors(folder / "moments", Optimizer({}, parameters).tensors(), {});
  refuses({.kind = OptimizerKind::sgd});
  refuses({.kind = OptimizerKind::rmsprop});

  model::Parameters bad = parameters;
  bad.arena()[3] = -1;
  const Optimizer rmsprop({.kind = OptimizerKind::rmsprop}, parameters);
  std::vector<format::TensorView> tensors = rmsprop.tensors();
  tensors[0] = format::tensor_view(tensors[0].name, tensors[0].shape, std::as_const(bad).values(bad.tensors()[0]));
  format::write_safetensors(folder / "moments", tensors, {});
  refuses({.kind = OptimizerKind::rmsprop});
}

}  // namespace
}  // namespace rune::train
