#include "generate/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "support/allocations.h"
#include "support/model_cases.h"

namespace rune::generate {
namespace {

using test::CellCase;
using test::kCellCases;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int kVocabularySize = 11;

model::Network make_network(const ModelOptions& options) {
  model::Parameters parameters = model::Parameters::initialized(options, kVocabularySize, 2);
  for (const char* const name : {"fc.weight", "fc.bias"}) {
    for (float& value : parameters.values(name)) value *= 5;  // losses should differ from character to character
  }
  return {options, kVocabularySize, std::move(parameters)};
}

std::vector<std::int32_t> random_tokens(std::size_t count) {
  const RandomStream random(1, RandomPurpose::sample);
  std::vector<std::int32_t> tokens(count);
  for (std::size_t i = 0; i < count; ++i) tokens[i] = static_cast<std::int32_t>(random.bits(i) % kVocabularySize);
  return tokens;
}

/// One stream, character by character, the log-softmax in double: what every protocol is made of.
class Stream {
 public:
  explicit Stream(const model::Network& network)
      : network_(network), state_(network.options(), 1), logits_(1, kVocabularySize) {}

  /// Feeds a character and adds the loss of the next one.
  void feed(std::int32_t input, std::int32_t target, model::Loss& loss) {
    network_.step({&input, 1}, state_, logits_);
    double total = 0;
    for (const float logit : logits_.values()) total += std::exp(static_cast<double>(logit));
    loss.sum += std::log(total) - logits_.values()[static_cast<std::size_t>(target)];
    ++loss.characters;
  }

 private:
  const model::Network& network_;
  model::State state_;
  Matrix logits_;
};

model::Loss by_hand(const model::Network& network, const std::vector<std::int32_t>& tokens, const Protocol& protocol,
                    std::size_t window) {
  model::Loss loss;
  const auto size = static_cast<std::size_t>(protocol.size);
  switch (protocol.kind) {
    case Protocol::Kind::stream: {
      Stream stream(network);
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) stream.feed(tokens[i], tokens[i + 1], loss);
      break;
    }
    case Protocol::Kind::rows: {
      const std::size_t length = tokens.size() / (size * window) * window;
      for (std::size_t row = 0; row < size; ++row) {
        Stream stream(network);
        for (std::size_t i = 0; i < length; ++i)
          stream.feed(tokens[row * length + i], tokens[row * length + (i + 1) % length], loss);
      }
      break;
    }
    case Protocol::Kind::windows:
      for (std::size_t begin = 0; begin + 1 < tokens.size(); begin += size) {
        Stream stream(network);
        const std::size_t end = std::min(begin + size, tokens.size() - 1);
        for (std::size_t i = begin; i < end; ++i) stream.feed(tokens[i], tokens[i + 1], loss);
      }
      break;
    case Protocol::Kind::batches:  // has tests of its own
      break;
  }
  return loss;
}

struct ProtocolCase {
  const char* name;
  Protocol protocol;
  std::size_t tokens;
  std::int64_t characters;
};

class ProtocolTest : public testing::TestWithParam<std::tuple<CellCase, ProtocolCase>> {};

TEST_P(ProtocolTest, AgreesWithTheDefinition) {
  const auto& [cell, example] = GetParam();
  constexpr int kSequenceLength = 10;
  const model::Network network = make_network(test::model_options(cell, 2, 18, 0));
  const auto tokens = random_tokens(example.tokens);
  const model::Loss expected = by_hand(network, tokens, example.protocol, kSequenceLength);
  ASSERT_EQ(expected.characters, example.characters);

  ThreadTeam team(2);
  Evaluator evaluator(network, tokens, example.protocol, kSequenceLength);
  const Evaluation result = evaluator.evaluate(network, team);
  EXPECT_NEAR(result.loss, expected.mean(), 1e-5 * expected.mean());
  EXPECT_EQ(result.characters, example.characters);
  EXPECT_EQ(result.protocol, example.protocol);
  EXPECT_EQ(evaluator.evaluate(network, team).loss, result.loss)
      << "nothing should be carried from one evaluation to the next";
}

INSTANTIATE_TEST_SUITE_P(
    All, ProtocolTest,
    testing::Combine(
        testing::ValuesIn(kCellCases),
        testing::Values(ProtocolCase{"stream", {Protocol::Kind::stream, 0}, 700, 699},
                        ProtocolCase{"stream_of_two", {Protocol::Kind::stream, 0}, 2, 1},
                        ProtocolCase{"stream_of_whole_blocks", {Protocol::Kind::stream, 0}, 513, 512},
                        ProtocolCase{"rows", {Protocol::Kind::rows, 6}, 250, 240},
                        ProtocolCase{"rows_of_one_batch", {Protocol::Kind::rows, 3}, 30, 30},
                        ProtocolCase{"windows", {Protocol::Kind::windows, 32}, 300, 299},
                        ProtocolCase{"windows_in_several_blocks", {Protocol::Kind::windows, 5}, 1000, 999},
                        ProtocolCase{"windows_without_remainder", {Protocol::Kind::windows, 20}, 101, 100},
                        ProtocolCase{"window_longer_than_the_text", {Protocol::Kind::windows, 1'000'000'000}, 40, 39})),
    [](const auto& test) { return std::string(std::get<0>(test.param).name) + "_" + std::get<1>(test.param).name; });

TEST(EvaluatorTest, TheNumberOfThreadsChangesNothing) {
  const model::Network network = make_network({.cell = Cell::lstm, .layers = 2, .hidden_size = 20, .embedding = 7});
  const auto tokens = random_tokens(600);
  ThreadTeam one(1);
  ThreadTeam three(3);
  for (const Protocol& protocol :
       {Protocol{Protocol::Kind::rows, 5}, Protocol{}, Protocol{Protocol::Kind::windows, 16}}) {
    Evaluator evaluator(network, tokens, protocol, 8);
    EXPECT_EQ(evaluator.evaluate(network, one).loss, evaluator.evaluate(network, three).loss) << to_string(protocol);
  }
}

TEST(EvaluatorTest, AnEvaluationAllocatesNothing) {
  const model::Network network = make_network({.cell = Cell::lstm, .layers = 2, .hidden_size = 20, .embedding = 7});
  const auto tokens = random_tokens(600);
  ThreadTeam team(2);
  for (const Protocol& protocol :
       {Protocol{Protocol::Kind::rows, 5}, Protocol{}, Protocol{Protocol::Kind::windows, 5}}) {
    Evaluator evaluator(network, tokens, protocol, 8);
    const std::int64_t before = test::allocations();
    evaluator.evaluate(network, team);
    EXPECT_EQ(test::allocations(), before) << to_string(protocol);
  }
}

TEST(EvaluatorTest, MeasuresTheNetworkOfTheCall) {
  model::Network network = make_network({.cell = Cell::gru, .layers = 1, .hidden_size = 10});
  const auto tokens = random_tokens(100);
  ThreadTeam team(1);
  Evaluator evaluator(network, tokens, {}, 8);
  const double before = evaluator.evaluate(network, team).loss;
  std::ranges::fill(network.mutable_parameters().arena(), 0.0F);
  network.pack(team);
  EXPECT_GT(std::abs(before - std::log(kVocabularySize)), 1e-3);
  EXPECT_NEAR(evaluator.evaluate(network, team).loss, std::log(kVocabularySize), 1e-6);  // even odds
}

TEST(EvaluatorTest, DropoutPlaysNoPart) {
  ModelOptions options{.cell = Cell::lstm, .layers = 2, .hidden_size = 10};
  const auto tokens = random_tokens(100);
  ThreadTeam team(1);
  const model::Network plain = make_network(options);
  options.dropout = 0.5F;
  const model::Network dropping = make_network(options);
  EXPECT_EQ(Evaluator(plain, tokens, {}, 8).evaluate(plain, team).loss,
            Evaluator(dropping, tokens, {}, 8).evaluate(dropping, team).loss);
}

TEST(EvaluatorTest, ATextTooShortIsRefused) {
  const model::Network network = make_network({.cell = Cell::rnn, .layers = 1, .hidden_size = 4});
  const auto tokens = random_tokens(79);
  const auto evaluator = [&](std::size_t count, Protocol protocol) {
    return [&network, part = std::span(tokens).first(count), protocol] { Evaluator(network, part, protocol, 10); };
  };
  EXPECT_THAT(evaluator(79, {Protocol::Kind::rows, 8}), ThrowsMessage<InputError>(HasSubstr("80")));
  for (const std::size_t count : {0U, 1U}) {
    EXPECT_THAT(evaluator(count, {}), ThrowsMessage<InputError>(HasSubstr("at least 2 characters")));
    EXPECT_THAT(evaluator(count, {Protocol::Kind::windows, 4}),
                ThrowsMessage<InputError>(HasSubstr("at least 2 characters")));
  }
  EXPECT_THAT(evaluator(79, {Protocol::Kind::windows, 0}), ThrowsMessage<InputError>(HasSubstr("windows:0")));
  EXPECT_THAT(evaluator(79, {Protocol::Kind::rows, -1}), ThrowsMessage<InputError>(HasSubstr("rows:-1")));
}

TEST(EvaluationTest, BitsAndPerplexityFollowFromTheLoss) {
  const Evaluation coin{.protocol = {}, .loss = std::log(2.0), .characters = 10};
  EXPECT_DOUBLE_EQ(coin.bits_per_character(), 1);
  EXPECT_DOUBLE_EQ(coin.perplexity(), 2);
}

TEST(ProtocolTextTest, ReadsTheThreeForms) {
  EXPECT_EQ(parse_protocol("rows:128"), (Protocol{Protocol::Kind::rows, 128}));
  EXPECT_EQ(parse_protocol("stream"), (Protocol{Protocol::Kind::stream, 0}));
  EXPECT_EQ(parse_protocol("windows:256"), (Protocol{Protocol::Kind::windows, 256}));
}

TEST(ProtocolTextTest, RefusesAnythingElse) {
  for (const char* const text :
       {"", "rows", "rows:", "rows:0", "rows:-1", "rows:+1", "rows:1 ", "rows: 1", "rows:1.5", "rows:99999999999",
        "stream:1", "windows", "windows:x", "Stream", "row:1", ":1", "rows:1:2"}) {
    EXPECT_THAT([&] { return parse_protocol(text); },
                ThrowsMessage<InputError>(HasSubstr(std::string("found '") + text + "'")))
        << text;
  }
}

RC_GTEST_PROP(ProtocolTextTest, EveryProtocolReturns, ()) {
  const auto kind = *rc::gen::element(Protocol::Kind::rows, Protocol::Kind::stream, Protocol::Kind::windows);
  const Protocol protocol{kind, kind == Protocol::Kind::stream ? 0 : *rc::gen::positive<int>()};
  RC_ASSERT(parse_protocol(to_string(protocol)) == protocol);
}

}  // namespace
}  // namespace rune::generate
