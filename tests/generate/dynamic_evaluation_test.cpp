#include "generate/dynamic_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"
#include "generate/evaluation.h"
#include "support/model_cases.h"
#include "text/batcher.h"

namespace rune::generate {
namespace {

using test::CellCase;
using test::kCellCases;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int kVocabularySize = 11;

model::Network make_network(const ModelOptions& options) {
  return {options, kVocabularySize, model::Parameters::initialized(options, kVocabularySize, 2)};
}

const model::Network& gru() {
  static const model::Network network = make_network({.cell = Cell::gru, .layers = 2, .hidden_size = 20});
  return network;
}

/// A text that can be learned: each character is mostly the one before it and one more.
std::vector<std::int32_t> counting(std::size_t count, std::uint64_t seed = 1) {
  const RandomStream random(seed, RandomPurpose::sample);
  std::vector<std::int32_t> tokens(count);
  for (std::size_t i = 1; i < count; ++i) {
    const std::uint32_t bits = random.bits(i);
    const auto drawn = static_cast<std::int32_t>(bits / 8 % kVocabularySize);
    tokens[i] = bits % 8 == 0 ? drawn : (tokens[i - 1] + 1) % kVocabularySize;
  }
  return tokens;
}

/// The losses of all characters.
std::vector<float> losses_of(const model::Network& network, const std::vector<std::int32_t>& tokens,
                             const DynamicOptions& options, int threads = 1) {
  ThreadTeam team(threads);
  std::vector<float> all;
  const model::Loss total = evaluate_dynamically(network, tokens, options, team, [&](std::span<const float> losses) {
    EXPECT_LE(losses.size(), static_cast<std::size_t>(options.segment));
    all.insert(all.end(), losses.begin(), losses.end());
  });
  EXPECT_EQ(total.characters, std::ssize(tokens) - 1);
  EXPECT_EQ(std::ssize(all), total.characters);
  return all;
}

class DynamicCellTest : public testing::TestWithParam<CellCase> {};
INSTANTIATE_TEST_SUITE_P(All, DynamicCellTest, testing::ValuesIn(kCellCases),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(DynamicCellTest, WithoutLearningItIsAPlainEvaluation) {
  for (const int embedding : {0, 5}) {
    ModelOptions options = test::model_options(GetParam(), 2, 18, embedding);
    options.dropout = 0.5F;  // is off
    const model::Network network = make_network(options);
    const auto tokens = counting(333);
    ThreadTeam team(1);
    const Evaluation plain = Evaluator(network, tokens, Protocol(), 100).evaluate(network, team);
    for (const double decay : {0.0, 0.5}) {
      const model::Loss loss = evaluate_dynamically(network, tokens, {.learning_rate = 0, .decay = decay}, team);
      EXPECT_EQ(loss.characters, plain.characters);
      EXPECT_NEAR(loss.mean(), plain.loss, 1e-12);
    }
  }
}

/// Character by character and in doubles where it learns: a network of its own for every segment.
std::vector<float> twin(const model::Network& network, const std::vector<std::int32_t>& tokens,
                        const DynamicOptions& dynamic) {
  const ModelOptions& options = network.options();
  ThreadTeam team(1);
  model::State state(options, 1);
  const auto trained = network.parameters().arena();
  std::vector<double> weights(trained.begin(), trained.end());
  std::vector<float> all;
  const auto segment = static_cast<std::size_t>(dynamic.segment);
  for (std::size_t begin = 0; begin + 1 < tokens.size(); begin += segment) {
    model::Parameters parameters(options, kVocabularySize);
    std::ranges::transform(weights, parameters.arena().begin(), [](double w) { return static_cast<float>(w); });
    const model::Network now(options, kVocabularySize, parameters);
    const std::size_t length = std::min(segment, tokens.size() - 1 - begin);
    const std::span<const std::int32_t> text(tokens);
    const text::TokenBlock block{static_cast<int>(length), 1, text.subspan(begin, length),
                                 text.subspan(begin + 1, length)};
    model::Workspace workspace(now, static_cast<int>(length), 1, model::Workspace::Mode::training);
    model::Parameters gradients(options, kVocabularySize);
    now.gradients(block, state, 0, 0, workspace, gradients, team);
    const auto losses = workspace.losses();
    all.insert(all.end(), losses.begin(), losses.end());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double trained_weight = trained[i];
      const double gradient = gradients.arena()[i];
      weights[i] += dynamic.decay * (trained_weight - weights[i]) - dynamic.learning_rate * gradient;
    }
  }
  return all;
}

TEST_P(DynamicCellTest, AgreesWithItsTwin) {
  const model::Network network = make_network(test::model_options(GetParam(), 2, 18, 5));
  const auto tokens = counting(200);
  const DynamicOptions options{.learning_rate = 0.2, .decay = 0.05, .segment = 9};
  const auto found = losses_of(network, tokens, options);
  const auto expected = twin(network, tokens, options);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2e-5) << i;
}

TEST(DynamicEvaluationTest, ItLearnsFromTheTextAndForgetsByDecay) {
  const auto tokens = counting(3000);
  ThreadTeam team(1);
  const auto loss = [&](double learning_rate, double decay) {
    return evaluate_dynamically(gru(), tokens, {.learning_rate = learning_rate, .decay = decay}, team).mean();
  };
  const double plain = loss(0, 0);
  EXPECT_LT(loss(0.3, 0), plain - 0.1);
  EXPECT_LT(loss(0.3, 0.01), plain);
  EXPECT_GT(loss(0.3, 0.01), loss(0.3, 0));
  EXPECT_NEAR(loss(0.3, 1), plain, 0.2);  // a step, then all of the way back but that step
}

// What stands after a segment has no influence on it, and it is scored by the weights before it: a change of the text
// shows in the losses of the changed characters, and nowhere before.
RC_GTEST_PROP(DynamicEvaluationTest, EveryCharacterIsScoredBeforeItIsLearned, ()) {
  const auto segment = *rc::gen::inRange(1, 12);
  const auto length = *rc::gen::inRange<std::size_t>(2, 60);
  const auto changed = *rc::gen::inRange<std::size_t>(1, length);
  const DynamicOptions options{.learning_rate = 0.5, .decay = 0.01, .segment = segment};
  auto tokens = counting(length);
  const auto before = losses_of(gru(), tokens, options);
  tokens[changed] = (tokens[changed] + 3) % kVocabularySize;
  const auto after = losses_of(gru(), tokens, options);
  const std::size_t target = changed - 1;  // of the loss that is the first to know
  RC_ASSERT(std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(target), after.begin()));
  RC_ASSERT(before[target] != after[target]);
  // In the changed character's own segment the weights are those of before: its loss is that of the unchanged text with
  // this one target, as a prefix that ends here says too.
  tokens.resize(changed + 1);
  RC_ASSERT(losses_of(gru(), tokens, options).back() == after[target]);
}

TEST(DynamicEvaluationTest, TheNetworkAndTheThreadsAreLeftOut) {
  const auto tokens = counting(400);
  const auto weights = gru().parameters().arena();
  const std::vector<float> trained(weights.begin(), weights.end());
  const auto one = losses_of(gru(), tokens, {}, 1);
  EXPECT_EQ(one, losses_of(gru(), tokens, {}, 3));
  EXPECT_TRUE(std::ranges::equal(gru().parameters().arena(), trained));
}

TEST(DynamicEvaluationTest, WhatCannotBeIsNamed) {
  const auto evaluating = [](DynamicOptions options, std::size_t characters = 10) {
    return [=] {
      ThreadTeam team(1);
      evaluate_dynamically(gru(), counting(characters), options, team);
    };
  };
  EXPECT_THAT(evaluating({}, 1), ThrowsMessage<InputError>(HasSubstr("at least 2 characters, found 1")));
  EXPECT_THAT(evaluating({.learning_rate = -1}), ThrowsMessage<InputError>(HasSubstr("found -1")));
  EXPECT_THAT(evaluating({.decay = 1.5}), ThrowsMessage<InputError>(HasSubstr("found 1.5")));
  EXPECT_THAT(evaluating({.segment = 0}), ThrowsMessage<InputError>(HasSubstr("found 0")));
  EXPECT_THAT(evaluating({.learning_rate = std::numeric_limits<double>::quiet_NaN()}),
              ThrowsMessage<InputError>(HasSubstr("found nan")));
  EXPECT_THAT(evaluating({.learning_rate = 1e38}, 200), ThrowsMessage<DivergedError>(HasSubstr("below 1e+38")));
}

}  // namespace
}  // namespace rune::generate
