#include "generate/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "support/model_cases.h"
#include "text/utf8.h"

namespace rune::generate {
namespace {

using test::CellCase;
using test::kCellCases;
using testing::Each;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr auto kAlphabet = U"\nabcdeé\U0001F600";
constexpr int kVocabularySize = 8;

/// Initial weights give nearly even odds; with larger ones around the recurrence a text depends on what came before.
model::Model make_model(const ModelOptions& options) {
  model::Parameters parameters = model::Parameters::initialized(options, kVocabularySize, 3);
  for (const model::Tensor& tensor : parameters.tensors()) {
    if (tensor.name.find("weight_hh") != std::string::npos) continue;
    for (float& value : parameters.values(tensor)) value *= 3;
  }
  return {text::Vocabulary(kAlphabet), model::Network(options, kVocabularySize, std::move(parameters))};
}

const model::Model& lstm() {
  static const model::Model model = make_model({.cell = Cell::lstm, .layers = 2, .hidden_size = 12});
  return model;
}

std::vector<std::string> texts(const model::Model& model, std::span<const std::int32_t> prompt, int length,
                               int num_samples, const SampleOptions& options) {
  std::vector<std::string> texts(static_cast<std::size_t>(num_samples));
  generate(model, prompt, length, num_samples, options, [&](int sample, const std::string& character) {
    texts[static_cast<std::size_t>(sample)] += character;
    return true;
  });
  return texts;
}

const std::vector<std::int32_t> kPrompt{1, 2, 6, 7};

class EveryCellTest : public testing::TestWithParam<CellCase> {};

TEST_P(EveryCellTest, ATextDoesNotDependOnItsBatch) {
  for (const int embedding : {0, 5}) {
    const model::Model model = make_model(test::model_options(GetParam(), 2, 20, embedding));
    const auto batch = texts(model, kPrompt, 60, 7, {.seed = 9});
    EXPECT_EQ(batch[0], generate_text(model, kPrompt, 60, {.seed = 9}));
    const auto pair = texts(model, kPrompt, 60, 2, {.seed = 9});
    EXPECT_EQ(batch[1], pair[1]);
    EXPECT_EQ(std::set<std::string>(batch.begin(), batch.end()).size(), batch.size()) << "samples should differ";
  }
}

// Large enough to be shared among threads.
TEST(Generator, WritesTheSameOnAnyNumberOfThreads) {
  const model::Model model = make_model({.cell = Cell::gru, .layers = 2, .hidden_size = 200});
  const std::string alone = generate_text(model, kPrompt, 60, {.seed = 9, .threads = 1});
  for (const int threads : {2, 3, 4, 8}) {
    EXPECT_EQ(generate_text(model, kPrompt, 60, {.seed = 9, .threads = threads}), alone) << threads;
    EXPECT_EQ(texts(model, kPrompt, 60, 3, {.seed = 9, .threads = threads})[0], alone) << threads;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryCellTest, testing::ValuesIn(kCellCases),
                         [](const auto& test) { return test.param.name; });

/// By the definition: one stream, fed with what it drew.
TEST(GeneratorTest, ATextIsDrawnFromTheModelStepByStep) {
  const SampleOptions options{.temperature = 0.7F, .top_k = 6, .top_p = 0.95F, .seed = 4};
  Sampler sampler(options);
  model::State state(lstm().network.options(), 1);
  Matrix logits(1, kVocabularySize);
  for (const std::int32_t token : kPrompt) lstm().network.step({&token, 1}, state, logits);
  std::vector<std::int32_t> tokens;
  for (std::uint64_t position = 0; position < 40; ++position) {
    if (!tokens.empty()) lstm().network.step({&tokens.back(), 1}, state, logits);
    tokens.push_back(sampler.draw(logits.values(), RandomStream(4, RandomPurpose::sample, 0).uniform_double(position)));
  }
  EXPECT_EQ(generate_text(lstm(), kPrompt, 40, options), lstm().vocabulary.decode(tokens));
}

TEST(GeneratorTest, TheSeedDecidesTheText) {
  EXPECT_EQ(generate_text(lstm(), kPrompt, 50, {.seed = 1}), generate_text(lstm(), kPrompt, 50, {.seed = 1}));
  EXPECT_NE(generate_text(lstm(), kPrompt, 50, {.seed = 1}), generate_text(lstm(), kPrompt, 50, {.seed = 2}));
}

TEST(GeneratorTest, ThePromptMatters) {
  const std::vector<std::int32_t> other{5, 3, 3, 4};
  EXPECT_NE(generate_text(lstm(), kPrompt, 50, {}), generate_text(lstm(), other, 50, {}));
}

TEST(GeneratorTest, AShorterTextIsTheBeginningOfALongerOne) {
  const std::string text = generate_text(lstm(), kPrompt, 50, {});
  EXPECT_TRUE(text.starts_with(generate_text(lstm(), kPrompt, 20, {})));
}

TEST(GeneratorTest, WithoutAPromptANewlinePrimes) {
  const std::vector<std::int32_t> newline{0};
  EXPECT_EQ(generate_text(lstm(), {}, 30, {}), generate_text(lstm(), newline, 30, {}));
}

TEST(GeneratorTest, WithoutAPromptOrANewlineTheFirstCharacterPrimes) {
  const ModelOptions options{.cell = Cell::gru, .layers = 1, .hidden_size = 8};
  const model::Model model{text::Vocabulary(U"abc"),
                           model::Network(options, 3, model::Parameters::initialized(options, 3, 1))};
  const std::vector<std::int32_t> first{0};
  EXPECT_EQ(generate_text(model, {}, 30, {}), generate_text(model, first, 30, {}));
}

/// The model's weights with an alphabet that has symbols.
model::Model with_symbols() {
  const Vocabulary alphabet{{"<unk>", "<pad>", "<BOS>", "<EOS>", "a", "b", "c", "d"}};
  const model::Network& network = lstm().network;
  return {text::Vocabulary(alphabet), model::Network(network.options(), kVocabularySize, network.parameters())};
}

TEST(GeneratorTest, TheEndSymbolEndsATextAndOthersAreNeverDrawn) {
  const model::Model model = with_symbols();
  std::set<std::size_t> lengths;
  for (const std::string& text : texts(model, {}, 200, 50, {.temperature = 1.5F})) {
    EXPECT_EQ(text.find_first_not_of("abcd"), std::string::npos) << text;
    lengths.insert(text.size());
  }
  EXPECT_GT(lengths.size(), 5U);
  EXPECT_LT(*lengths.begin(), 50U);
}

TEST(GeneratorTest, TheUnknownSymbolIsDrawnWhereThatIsAskedFor) {
  std::string all;
  for (const std::string& text : texts(with_symbols(), {}, 200, 50, {.temperature = 1.5F, .unknown = true}))
    all += text;
  EXPECT_THAT(all, HasSubstr("<unk>"));
  EXPECT_THAT(all, testing::Not(HasSubstr("<pad>")));
}

TEST(GeneratorTest, BytesLeaveAsWholeCharacters) {
  const Vocabulary bytes{{"\xc3", "\xa9", "\xe2", "\x82", "\xac", "a", "\n", "\xff"}, {.unit = Unit::byte}};
  const model::Network& network = lstm().network;
  const model::Model model{text::Vocabulary(bytes),
                           model::Network(network.options(), kVocabularySize, network.parameters())};
  std::string together;
  std::set<std::size_t> ends;  // of pieces
  generate(model, {}, 2000, 1, {.temperature = 3}, [&](int, const std::string& piece) {
    together += piece;
    ends.insert(together.size());
    return true;
  });
  EXPECT_EQ(together.size(), 2000U) << "nothing is lost";
  int long_characters = 0;
  for (std::size_t at = 0; at < together.size();) {
    const text::Decoded next = text::decode_at(together, at);
    long_characters += next.wrong == nullptr && next.length > 1 ? 1 : 0;
    for (std::size_t i = 1; next.wrong == nullptr && i < next.length; ++i) EXPECT_FALSE(ends.contains(at + i)) << at;
    at += next.length;
  }
  EXPECT_GT(long_characters, 0);
}

TEST(GeneratorTest, TheBeginSymbolStandsBeforeEveryPrompt) {
  const model::Model model = with_symbols();
  const auto expected = [&](std::vector<std::int32_t> tokens) {
    model::State state(model.network.options(), 1);
    Matrix logits(1, kVocabularySize);
    for (const std::int32_t token : tokens) model.network.step({&token, 1}, state, logits);
    return static_cast<std::int32_t>(std::ranges::max_element(logits.values()) - logits.values().begin());
  };
  EXPECT_EQ(next_candidates(model, {}).front().token, expected({2}));
  EXPECT_EQ(next_candidates(model, std::vector<std::int32_t>{4, 5}).front().token, expected({2, 4, 5}));
}

TEST(GeneratorTest, CandidatesAreAllTokensByProbability) {
  const auto candidates = next_candidates(lstm(), kPrompt);
  ASSERT_EQ(candidates.size(), static_cast<std::size_t>(kVocabularySize));
  double sum = 0;
  for (const Candidate& candidate : candidates) sum += candidate.probability;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_TRUE(std::ranges::is_sorted(candidates, std::ranges::greater(), &Candidate::probability));
  const std::string most_probable = generate_text(lstm(), kPrompt, 1, {.temperature = 0});
  EXPECT_EQ(lstm().vocabulary.decode({&candidates[0].token, 1}), most_probable);
}

TEST(GeneratorTest, StartTwiceReadsTheLastCharacterAgain) {
  const std::vector<std::int32_t> doubled{1, 2, 6, 7, 7};
  EXPECT_EQ(generate_text(lstm(), kPrompt, 40, {.start_twice = true}), generate_text(lstm(), doubled, 40, {}));
  EXPECT_EQ(generate_text(lstm(), std::vector<std::int32_t>{3}, 9, {.start_twice = true}).size(), 9U);
}

TEST(GeneratorTest, AWindowSeesItsCharactersAlone) {
  const SampleOptions options{.temperature = 0, .window = 3};
  // Whatever stands before the window does not matter, unless the state is carried.
  const std::vector<std::int32_t> other{5, 3, 2, 6, 7};
  EXPECT_EQ(generate_text(lstm(), kPrompt, 30, options), generate_text(lstm(), other, 30, options));
  EXPECT_EQ(generate_text(lstm(), kPrompt, 30, {.seed = 3, .window = 100}),
            generate_text(lstm(), kPrompt, 30, {.seed = 3}));
  const auto batch = texts(lstm(), kPrompt, 20, 4, {.seed = 2, .window = 3});
  EXPECT_EQ(batch[0], generate_text(lstm(), kPrompt, 20, {.seed = 2, .window = 3}));

  // Carried by hand: 1 2 6 7, then windows of the last three, one after the other.
  const SampleOptions carried{.temperature = 0, .window = 3, .window_state = WindowState::carry};
  model::State state(lstm().network.options(), 1);
  Matrix logits(1, kVocabularySize);
  std::vector<std::int32_t> read = kPrompt;
  std::string expected;
  for (int i = 0; i < 10; ++i) {
    for (std::size_t k = read.size() - 3; k < read.size(); ++k) lstm().network.step({&read[k], 1}, state, logits);
    read.push_back(static_cast<std::int32_t>(std::ranges::max_element(logits.values()) - logits.values().begin()));
    expected += lstm().vocabulary.decode({&read.back(), 1});
  }
  EXPECT_EQ(generate_text(lstm(), kPrompt, 10, carried), expected);
}

TEST(GeneratorTest, LengthCountsNewCharacters) {
  EXPECT_EQ(text::decode_utf8(generate_text(lstm(), kPrompt, 17, {}), "text").size(), 17U);
  EXPECT_EQ(generate_text(lstm(), kPrompt, 0, {}), "");
}

TEST(GeneratorTest, EachCallBringsOneWholeCharacter) {
  int calls = 0;
  generate(lstm(), kPrompt, 40, 2, {}, [&](int, const std::string& character) {
    ++calls;
    EXPECT_EQ(text::decode_utf8(character, "character").size(), 1U);
    return true;
  });
  EXPECT_EQ(calls, 80);
}

TEST(GeneratorTest, TemperatureZeroIgnoresTheSeed) {
  const auto batch = texts(lstm(), kPrompt, 40, 3, {.temperature = 0, .seed = 1});
  EXPECT_THAT(batch, Each(generate_text(lstm(), kPrompt, 40, {.temperature = 0, .seed = 2})));
}

TEST(GeneratorTest, AStopTextEndsEachSampleWhereItFirstStands) {
  const SampleOptions free{.seed = 6};
  const auto whole = texts(lstm(), kPrompt, 200, 4, free);
  const std::u32string first = text::decode_utf8(whole[0], "sample 0");
  for (const std::size_t length : {1U, 2U, 3U}) {
    const std::string stop = text::encode_utf8(std::u32string_view(first).substr(50, length));
    SampleOptions options = free;
    options.stop = stop;
    const auto stopped = texts(lstm(), kPrompt, 200, 4, options);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const std::size_t end = whole[i].find(stop);
      EXPECT_EQ(stopped[i], end == std::string::npos ? whole[i] : whole[i].substr(0, end + stop.size()))
          << stop << " in sample " << i;
    }
    EXPECT_LT(stopped[0].size(), whole[0].size());
  }
}

TEST(GeneratorTest, TheStopTextIsNotSoughtInThePrompt) {
  const std::string first = generate_text(lstm(), kPrompt, 1, {});
  const std::string across = lstm().vocabulary.decode(std::span(kPrompt).last(1)) + first;
  EXPECT_EQ(generate_text(lstm(), kPrompt, 2, {.stop = across}), generate_text(lstm(), kPrompt, 2, {}));
}

TEST(GeneratorTest, FalseEndsOneSampleAndLeavesTheOthersAsTheyWere) {
  const auto whole = texts(lstm(), kPrompt, 30, 3, {});
  std::vector<std::string> written(3);
  std::vector<int> calls(3);
  generate(lstm(), kPrompt, 30, 3, {}, [&](int sample, const std::string& character) {
    const auto i = static_cast<std::size_t>(sample);
    written[i] += character;
    return ++calls[i] < 5 || sample != 1;
  });
  EXPECT_EQ(calls, (std::vector<int>{30, 5, 30}));
  EXPECT_EQ(written[0], whole[0]);
  EXPECT_TRUE(whole[1].starts_with(written[1]));
  EXPECT_EQ(written[2], whole[2]);
}

TEST(GeneratorTest, InvalidRequestsAreRefused) {
  const auto ignore = [](int, const std::string&) { return true; };
  EXPECT_THAT([&] { generate(lstm(), kPrompt, -1, 1, {}, ignore); },
              ThrowsMessage<InputError>(HasSubstr("characters to write")));
  EXPECT_THAT([&] { generate(lstm(), kPrompt, 1, 0, {}, ignore); },
              ThrowsMessage<InputError>(HasSubstr("number of samples")));
  for (const std::int32_t token : {-1, kVocabularySize}) {
    EXPECT_THAT(
        [&] {
          generate(lstm(), {&token, 1}, 1, 1, {}, ignore);
        },
        ThrowsMessage<InputError>(HasSubstr("prompt")));
  }
  EXPECT_THROW(generate_text(lstm(), kPrompt, 1, {.temperature = -1}), InputError);
}

}  // namespace
}  // namespace rune::generate
