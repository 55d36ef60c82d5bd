#include "generate/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "base/thread_team.h"
#include "generate/evaluation.h"
#include "support/model_cases.h"
#include "text/utf8.h"

namespace rune::generate {
namespace {

using test::CellCase;
using test::kCellCases;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Initial weights give nearly even odds; with larger ones a text's characters cost from 0.01 to 20 bits.
model::Model make_model(const ModelOptions& options, std::vector<std::string> entries, TextForm form = {},
                        std::uint64_t seed = 3) {
  const auto size = static_cast<int>(entries.size());
  model::Parameters parameters = model::Parameters::initialized(options, size, seed);
  for (const model::Tensor& tensor : parameters.tensors()) {
    if (tensor.name.find("weight_hh") != std::string::npos) continue;
    for (float& value : parameters.values(tensor)) value *= 4;
  }
  return {text::Vocabulary(rune::Vocabulary{.entries = std::move(entries), .form = std::move(form)}),
          model::Network(options, size, std::move(parameters))};
}

const std::vector<std::string> kAlphabet{"\n", " ", "a", "b", "c", "d", "é", "\U0001F600"};

const model::Model& lstm() {
  static const model::Model model = make_model({.cell = Cell::lstm, .layers = 2, .hidden_size = 12}, kAlphabet);
  return model;
}

std::string random_text(std::size_t characters, std::uint64_t seed = 1) {
  const RandomStream random(seed, RandomPurpose::shuffle);
  std::string text;
  for (std::size_t i = 0; i < characters; ++i) text += kAlphabet[random.bits(i) % kAlphabet.size()];
  return text;
}

std::string round_trip(const model::Model& model, const std::string& text, const CompressionOptions& options = {}) {
  return decompress(model, compress(model, text, options), "packed");
}

class CompressionCellTest : public testing::TestWithParam<CellCase> {};
INSTANTIATE_TEST_SUITE_P(All, CompressionCellTest, testing::ValuesIn(kCellCases),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(CompressionCellTest, ATextComesBack) {
  for (const int embedding : {0, 5}) {
    const model::Model model = make_model(test::model_options(GetParam(), 2, 20, embedding), kAlphabet);
    const std::string text = random_text(700);
    EXPECT_EQ(round_trip(model, text, {.streams = 5}), text);
  }
}

TEST(CompressionTest, ItsSizeIsTheLossThatTheModelHas) {
  const std::string text = "\n" + random_text(5000);  // a model starts after a newline
  const auto tokens = lstm().vocabulary.encode(text, text::Unknown::error, "text");
  ThreadTeam team(1);
  Evaluator evaluator(lstm().network, tokens, Protocol(), 100);
  const Evaluation evaluation = evaluator.evaluate(lstm().network, team);
  const std::string packed = compress(lstm(), text.substr(1), {.streams = 1});
  const double bits = evaluation.bits_per_character() * static_cast<double>(evaluation.characters);
  EXPECT_NEAR(8 * static_cast<double>(read_packed(packed, "packed").payload.size()), bits, 16 + bits * 1e-4);
}

TEST(CompressionTest, ThreadsChangeNothing) {
  // Large enough to be shared.
  const model::Model model = make_model({.cell = Cell::gru, .layers = 2, .hidden_size = 96}, kAlphabet);
  const std::string text = random_text(300);
  const std::string packed = compress(model, text, {.streams = 8, .threads = 1});
  EXPECT_EQ(compress(model, text, {.streams = 8, .threads = 3}), packed);
  EXPECT_EQ(decompress(model, packed, "packed", 2), text);
}

TEST(CompressionTest, StreamsAreChosenByTheLengthAndNeverMoreThanCharacters) {
  const auto streams = [](std::size_t characters, int asked) {
    return read_packed(compress(lstm(), random_text(characters), {.streams = asked}), "packed").streams;
  };
  EXPECT_EQ(streams(0, 0), 1);
  EXPECT_EQ(streams(8191, 0), 1);
  EXPECT_EQ(streams(8192, 0), 2);
  EXPECT_EQ(streams(50, 64), 50);
  EXPECT_EQ(streams(100, 64), 64);
  EXPECT_THAT([] { compress(lstm(), "a", {.streams = -1}); }, ThrowsMessage<InputError>(HasSubstr("found -1")));
  EXPECT_THAT([] { compress(lstm(), "a", {.streams = 1025}); }, ThrowsMessage<InputError>(HasSubstr("1024")));
}

/// Models of all units and forms, one of them of records.
std::vector<model::Model> models() {
  std::vector<model::Model> all;
  const ModelOptions options{.cell = Cell::gru, .layers = 1, .hidden_size = 8};
  all.push_back(make_model(options, {"a", "b", "\n", "é"}));
  all.push_back(make_model(options, {"a", "b", "\n", "é"}, {.lowercase = true, .normalize = Normalization::nfkc}));
  all.push_back(make_model(options, {"a", "b", "é", "<unk>", "<pad>", "<BOS>", "<EOS>"}, {.records = Records::lines}));
  all.push_back(make_model(options, {"a", "e\u0301", "\n", "<unk>"}, {.unit = Unit::grapheme}));
  all.push_back(make_model(options, {"a", "\xc3", "\xa9"}, {.unit = Unit::byte, .raw = true}));
  all.push_back(make_model(options, {"word", " ", "a", "<unk>", "<EOS>"}, {.unit = Unit::word, .fold_case = true}));
  return all;
}

RC_GTEST_PROP(CompressionTest, AnyBytesComeBack, ()) {
  static const std::vector<model::Model> kModels = models();
  const auto parts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a", "b", "A", "\n", "\r", "\r\n", "\xc2\x85", "é", "e\u0301", "ﬁ", "word", "Word ",
                                    "我们", "\xc2", "\x80", "\xff", std::string(1, '\0')));
  // With what every model packs, or else many would be stored.
  std::string text(*rc::gen::element<std::size_t>(0, 500), 'a');
  for (const std::string& part : parts) text += part;
  for (const model::Model& model : kModels) {
    const auto streams = *rc::gen::inRange(0, 5);
    RC_ASSERT(round_trip(model, text, {.streams = streams}) == text);
  }
}

TEST(CompressionTest, WhatTheModelDoesNotKnowIsLearned) {
  const model::Model plain = make_model({.cell = Cell::gru, .layers = 1, .hidden_size = 8}, {"\n", "a"});
  std::string unix_text;
  std::string dos_text;
  for (int i = 0; i < 1000; ++i) {
    unix_text += "aaaa\n";
    dos_text += "aaaa\r\n";
  }
  // A thousand line ends, of which the first is learned.
  EXPECT_LT(compress(plain, dos_text).size(), compress(plain, unix_text).size() + 40);
  // A text of other letters alone, of which there are five.
  std::string foreign;
  const RandomStream random(1, RandomPurpose::shuffle);
  for (std::uint64_t i = 0; i < 4000; ++i) foreign += "vwxyz"[random.bits(i) % 5];
  EXPECT_LT(compress(plain, foreign).size(), 4000 * std::log2(5) / 8 * 1.05 + 150);
  EXPECT_EQ(round_trip(plain, foreign), foreign);
}

TEST(CompressionTest, WhatWouldBecomeMoreIsStored) {
  std::string foreign;
  const RandomStream random(1, RandomPurpose::shuffle);
  for (std::uint64_t i = 0; i < 1000; ++i) foreign += static_cast<char>(random.bits(i));
  for (const std::string& text : {foreign, std::string(), std::string("a")}) {
    const std::string packed = compress(lstm(), text);
    EXPECT_TRUE(read_packed(packed, "packed").stored);
    EXPECT_EQ(packed.size(), text.size() + 59);
    EXPECT_EQ(decompress(lstm(), packed, "packed"), text);
  }
  EXPECT_FALSE(read_packed(compress(lstm(), random_text(1000)), "packed").stored);
}

/// One that is packed, and one that is stored.
std::vector<std::string> short_texts() { return {random_text(60) + "xyz", "abba\nabc"}; }

TEST(CompressionTest, AnotherModelIsRefused) {
  const std::string packed = compress(lstm(), "abba");
  const model::Model other = make_model(lstm().network.options(), kAlphabet, {}, /*seed=*/4);
  EXPECT_THAT([&] { decompress(other, packed, "text.rune"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("'text.rune' was packed with another model"),
                                              HasSubstr(model::digest(lstm())), HasSubstr(model::digest(other)))));
}

TEST(CompressionTest, EveryCutAndEveryChangeIsRefused) {
  for (const std::string& text : short_texts()) {
    const std::string packed = compress(lstm(), text);
    for (std::size_t size = 0; size < packed.size(); ++size)
      EXPECT_THROW(decompress(lstm(), std::string_view(packed).substr(0, size), "packed"), InputError) << size;
    for (std::size_t i = 0; i < packed.size() * 8; ++i) {
      std::string changed = packed;
      changed[i / 8] = static_cast<char>(changed[i / 8] ^ 1 << i % 8);
      EXPECT_THROW(decompress(lstm(), changed, "packed"), InputError) << i;
    }
    EXPECT_THROW(decompress(lstm(), packed + '\0', "packed"), InputError);
  }
}

/// With a right checksum, as nobody but a forger makes it.
std::string forged(std::string packed, std::size_t at, char byte) {
  packed.resize(packed.size() - 8);
  packed[at] = byte;
  const std::uint64_t checksum = hash64(packed);
  for (int i = 0; i < 8; ++i) packed += static_cast<char>(checksum >> 8 * i & 0xFF);
  return packed;
}

TEST(CompressionTest, AForgeryIsRefusedInWhateverItLies) {
  for (const std::string& text : short_texts()) {
    const std::string packed = compress(lstm(), text, {.streams = 2});
    // All but the last byte of the payload, which may have other values in the last interval.
    for (std::size_t at = 0; at + 9 < packed.size(); ++at)
      for (const int bit : {0, 3, 7}) {
        const auto byte = static_cast<char>(packed[at] ^ 1 << bit);
        EXPECT_THROW(decompress(lstm(), forged(packed, at, byte), "packed"), InputError) << at << ' ' << bit;
      }
  }
}

TEST(CompressionTest, TheFormatStaysAsItIs) {
  const model::Model model = make_model({.cell = Cell::lstm, .layers = 1, .hidden_size = 16}, kAlphabet);
  const std::string packed = compress(model, random_text(1000) + "\r\nÀ ß\xff", {.streams = 4});
  EXPECT_EQ(packed.size(), 487);
  EXPECT_EQ(hash64(packed), 11913542174863529485U);
}

TEST(CompressionTest, WeightsThatOverflowAreNamed) {
  const ModelOptions options{.cell = Cell::rnn, .nonlinearity = Nonlinearity::relu, .layers = 1, .hidden_size = 4};
  model::Parameters parameters = model::Parameters::initialized(options, 2, 1);
  for (float& value : parameters.arena()) value = 3e38F;
  const model::Model model{text::Vocabulary(U"ab"), model::Network(options, 2, parameters)};
  EXPECT_THAT([&] { compress(model, "abab"); }, ThrowsMessage<InputError>(HasSubstr("logits are not finite")));
}

}  // namespace
}  // namespace rune::generate
