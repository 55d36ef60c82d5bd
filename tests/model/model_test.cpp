#include "model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "support/model_cases.h"
#include "support/temporary_folder.h"

namespace rune::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* kGoodOptions = R"({"cell":"rnn","dropout":0,"embedding":0,"forget_bias":null,"hidden_size":3,)"
                                     R"("init":"uniform","layers":1,"nonlinearity":"tanh","output_dropout":null})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// The parts of a small model's file, to be damaged before they become one.
class ModelFileTest : public testing::Test {
 protected:
  ModelFileTest() : tensors_(tensors_of(parameters_)), metadata_(metadata_of(options_, vocabulary_)) {}

  format::SafetensorsFile file() const {
    format::write_safetensors(path_, tensors_, metadata_);
    return format::SafetensorsFile::parse(read_file(path_), "small.safetensors");
  }
  auto loading() const {
    return [this] { return model_from(file()); };
  }
  format::TensorView& tensor(const std::string& name) {
    return *std::ranges::find(tensors_, name, &format::TensorView::name);
  }

  const ModelOptions options_{.cell = Cell::rnn, .layers = 1, .hidden_size = 3};
  const text::Vocabulary vocabulary_{U"aé\U0001F600\n"};
  Parameters parameters_ = Parameters::initialized(options_, 4, 1);
  std::vector<format::TensorView> tensors_;
  format::Metadata metadata_;
  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "model.safetensors";
};

TEST(ModelOptionsJsonTest, EveryOptionReturns) {
  const std::vector<ModelOptions> all{
      {},
      {.cell = Cell::rnn,
       .nonlinearity = Nonlinearity::relu,
       .layers = 64,
       .hidden_size = 16384,
       .init = Initialization::identity},
      {.cell = Cell::gru, .embedding = 42, .dropout = 0.1F, .output_dropout = 0.0F, .init = Initialization::orthogonal},
      {.cell = Cell::lstm,
       .dropout = std::numeric_limits<float>::denorm_min(),
       .output_dropout = 0.3F,
       .forget_bias = -1.7F},
      {.cell = Cell::mingru, .dropout = 0.2F, .locked_dropout = true},
      {.cell = Cell::loop, .weight_drop = 0.1F},
  };
  for (const ModelOptions& options : all)
    EXPECT_EQ(model_options_from_json(to_json(options), "here"), options) << to_json(options);
}

TEST(ModelOptionsJsonTest, TheFormIsFixed) {
  EXPECT_EQ(to_json({.cell = Cell::rnn, .layers = 1, .hidden_size = 3}),
            replaced(kGoodOptions, R"("dropout":0)", R"("dropout":0.0)"));
  EXPECT_EQ(model_options_from_json(kGoodOptions, "here").hidden_size, 3);
}

struct BadJson {
  const char* from;
  const char* to;
  const char* message;
};

class BadOptionsJsonTest : public testing::TestWithParam<BadJson> {};

TEST_P(BadOptionsJsonTest, IsRefusedWithThePlaceAndTheReason) {
  const BadJson& bad = GetParam();
  const std::string json = replaced(kGoodOptions, bad.from, bad.to);
  EXPECT_THAT([&] { return model_options_from_json(json, "the place"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("the place"), HasSubstr(bad.message))));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadOptionsJsonTest,
    testing::Values(BadJson{R"("layers":1,)", "", "'layers'"},
                    BadJson{R"("layers":1)", R"("layers":"1")", "layers: expected an integer"},
                    BadJson{R"("layers":1)", R"("layers":1.5)", "layers: expected an integer, found 1.5"},
                    BadJson{R"("layers":1)", R"("layers":0)", "layers must be"},
                    BadJson{R"("layers":1)", R"("layers":18446744073709551615)", "layers"},
                    BadJson{R"("layers":1)", R"("layers":1e999)", "JSON"},
                    BadJson{R"("layers":1)", R"("layers":{"layers":1})", "layers"},
                    BadJson{R"("layers":1)", R"("layers":1,"layers":1)", R"(the key "layers" comes twice)"},
                    BadJson{R"("layers":1)", R"("layers":1,"depth":1)", R"(unknown key "depth")"},
                    BadJson{R"("cell":"rnn")", R"("cell":"elman")",
                            R"(cell: expected one of rnn, gru, lstm, loop, loop_concat, mingru, found "elman")"},
                    BadJson{R"("layers":1)", R"("layers":1,"locked_dropout":1)",
                            "locked_dropout: expected true or false, found 1"},
                    BadJson{R"("layers":1)", R"("layers":1,"weight_drop":1)", "weight_drop must be"},
                    BadJson{R"("layers":1)", R"("layers":1,"weight_drop":"0.1")", "weight_drop: expected a number"},
                    BadJson{R"("cell":"rnn")", R"("cell":0)",
                            "cell: expected one of rnn, gru, lstm, loop, loop_concat, mingru, found 0"},
                    BadJson{R"("dropout":0)", R"("dropout":1e39)", "dropout"},
                    BadJson{R"("dropout":0)", R"("dropout":2)", "dropout"},
                    BadJson{R"("dropout":0)", R"("dropout":null)", "dropout: expected a number, found null"},
                    BadJson{R"("forget_bias":null)", R"("forget_bias":1)", "forget_bias"},
                    BadJson{R"("forget_bias":null)", R"("forget_bias":true)", "forget_bias: expected a number"},
                    BadJson{"{", "[", "expected JSON"}, BadJson{kGoodOptions, "[]", "expected an object"},
                    BadJson{kGoodOptions, "", "expected JSON"}));

TEST_F(ModelFileTest, AModelReturnsFromItsFile) {
  save_model(path_, {vocabulary_, Network(options_, 4, parameters_)});
  const Model loaded = load_model(path_);
  EXPECT_EQ(loaded.vocabulary, vocabulary_);
  EXPECT_EQ(loaded.network.options(), options_);
  EXPECT_TRUE(std::ranges::equal(loaded.network.parameters().arena(), parameters_.arena()));
}

TEST_F(ModelFileTest, WeightsThatAreNotFiniteAreNotWritten) {
  for (const Tensor& tensor : parameters_.tensors()) {
    Parameters damaged = parameters_;
    damaged.values(tensor).back() = std::numeric_limits<float>::infinity();
    std::filesystem::remove(path_);
    EXPECT_THROW(save_model(path_, {vocabulary_, Network(options_, 4, damaged)}), InputError) << tensor.name;
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
}

TEST(ModelFileOfEveryCellTest, AModelReturnsFromItsFile) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.safetensors";
  for (const test::CellCase& cell : test::kCellCases) {
    const ModelOptions options = test::model_options(cell, 2, 5, 3);
    const Model model = new_model(options, text::Vocabulary{U"abc\n"}, 1);
    save_model(path, model);
    const Model loaded = load_model(path);
    EXPECT_EQ(loaded.network.options(), model.network.options()) << cell.name;
    EXPECT_TRUE(std::ranges::equal(loaded.network.parameters().arena(), model.network.parameters().arena()))
        << cell.name;
  }
}

TEST_F(ModelFileTest, TensorsCarryPyTorchsNamesAndShapes) {
  const format::SafetensorsFile saved = file();
  ASSERT_EQ(saved.tensors().size(), parameters_.tensors().size());
  for (const Tensor& tensor : parameters_.tensors()) {
    EXPECT_TRUE(std::ranges::equal(saved.get(tensor.name, format::DType::f32, tensor.shape).as<float>(),
                                   parameters_.values(tensor)));
  }
  EXPECT_EQ(saved.meta("rune.vocabulary"), "[97,233,128512,10]");
}

TEST_F(ModelFileTest, TrainingStateIsIgnored) {
  const std::array<std::int64_t, 1> step{7};
  tensors_.push_back(format::tensor_view("optimizer.step", {1}, step));
  tensors_.push_back(format::tensor_view("state.position", {1}, step));
  EXPECT_TRUE(std::ranges::equal(model_from(file()).network.parameters().arena(), parameters_.arena()));
}

TEST_F(ModelFileTest, AnUnknownTensorIsRefused) {
  const std::array<float, 1> value{};
  tensors_.push_back(format::tensor_view("rnn.weight_ih_l1", {1}, value));
  EXPECT_THAT(loading(),
              ThrowsMessage<InputError>(AllOf(HasSubstr("small.safetensors"), HasSubstr("'rnn.weight_ih_l1'"))));
}

TEST_F(ModelFileTest, AMissingTensorIsRefused) {
  tensors_.pop_back();
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(AllOf(HasSubstr("small.safetensors"), HasSubstr("fc.bias"))));
}

TEST_F(ModelFileTest, ATensorOfAnotherShapeIsRefused) {
  tensor("fc.weight").shape = {3, 4};
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(AllOf(HasSubstr("small.safetensors"), HasSubstr("fc.weight"))));
}

TEST_F(ModelFileTest, ATensorOfAnotherTypeIsRefused) {
  const std::array<double, 4> values{};
  tensor("fc.bias") = format::tensor_view("fc.bias", {4}, values);
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(AllOf(HasSubstr("small.safetensors"), HasSubstr("fc.bias"))));
}

TEST_F(ModelFileTest, WeightsThatAreNotFiniteAreRefused) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    parameters_.values("rnn.weight_hh_l0")[5] = bad;
    EXPECT_THAT(loading(), ThrowsMessage<InputError>(
                               AllOf(HasSubstr("small.safetensors"), HasSubstr("'rnn.weight_hh_l0': element 5"))));
  }
}

TEST_F(ModelFileTest, AbsentMetadataIsRefused) {
  for (const char* const key : {"rune.format", "rune.model", "rune.vocabulary"}) {
    const format::Metadata whole = metadata_;
    metadata_.erase(key);
    EXPECT_THAT(loading(), ThrowsMessage<InputError>(AllOf(HasSubstr("small.safetensors"), HasSubstr(key))));
    metadata_ = whole;
  }
}

TEST_F(ModelFileTest, AnotherFormatIsRefused) {
  metadata_["rune.format"] = "2";
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(
                             AllOf(HasSubstr("'small.safetensors': metadata 'rune.format'"), HasSubstr("found 2"))));
}

TEST_F(ModelFileTest, MalformedOptionsAreRefused) {
  metadata_["rune.model"] = replaced(metadata_["rune.model"], "rnn", "abc");
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(
                             HasSubstr("'small.safetensors': metadata 'rune.model': cell: expected one of")));
}

// The largest model that the options allow has 64 layers of 4 x 16384 x 16384 weights twice: half a terabyte. The file
// has none of them.
TEST_F(ModelFileTest, OptionsThatTheFileDoesNotFillTakeNoMemory) {
  metadata_["rune.model"] = to_json({.cell = Cell::rnn, .layers = 64, .hidden_size = 16384, .embedding = 16384});
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(HasSubstr("embedding.weight")));
  metadata_["rune.model"] = to_json({.cell = Cell::rnn, .layers = 64, .hidden_size = 3});
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(HasSubstr("rnn.weight_ih_l1")));
}

TEST_F(ModelFileTest, AMalformedAlphabetIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[97,98,97,99]", "metadata 'rune.vocabulary'"},
      {"[]", "metadata 'rune.vocabulary'"},
      {std::string(200'000, '[') + std::string(200'000, ']'), "found it nested"},
      {"[97,98,99]", "rnn.weight_ih_l0"},  // one short of the weights' columns
      {"[97,98,99,1114112]", "found 1114112"},
      {"[97,98,99,55296]", "found 55296"},
      {"[97,98,99,-1]", "found -1"},
      {"[97,98,99,4294967296]", "found 4294967296"},
      {"[97,98,99,100.5]", "expected an integer, found 100.5"},
      {"[97,98,99,[256]]", "found 256"},
      {"[97,98,99,\"\"]", "empty"},
      {"{\"97\":0}", "expected an array of code points"},
      {"[97,98", "expected JSON"},
      {"[" + std::string(100'000, '['), "found it nested"},
  };
  for (const auto& [alphabet, message] : cases) {
    metadata_["rune.vocabulary"] = alphabet;
    EXPECT_THAT(loading(), ThrowsMessage<InputError>(AllOf(HasSubstr("small.safetensors"), HasSubstr(message))))
        << alphabet.substr(0, 40);
  }
}

TEST_F(ModelFileTest, UnitsOfEveryKindAndTheFormAreKept) {
  const text::Vocabulary vocabulary(
      Vocabulary{{"<unk>", "caf\u00e9", "\xff", "\n"}, {.unit = Unit::word, .lowercase = true, .column = 2}});
  save_model(path_, {vocabulary, Network(options_, 4, parameters_)});
  const auto saved = format::SafetensorsFile::read(path_);
  EXPECT_EQ(saved.meta("rune.vocabulary"), "[\"<unk>\",\"caf\u00e9\",[255],10]");
  EXPECT_EQ(model_from(saved).vocabulary, vocabulary);
  metadata_["rune.text"] = R"({"unit":"word"})";
  EXPECT_EQ(model_from(file()).vocabulary.form(), TextForm{.unit = Unit::word}) << "what is not said is the default";
  metadata_["rune.text"] = R"({"unit":"syllable"})";
  EXPECT_THAT(loading(), ThrowsMessage<InputError>(HasSubstr("one of char, grapheme, byte, word")));
}

TEST_F(ModelFileTest, MessagesStayShort) {
  metadata_["rune.model"] = "\"" + std::string(1'000'000, 'x') + "\"";
  try {
    model_from(file());
    FAIL() << "a string is no object";
  } catch (const InputError& error) {
    EXPECT_LT(std::strlen(error.what()), 300U);
  }
}

}  // namespace
}  // namespace rune::model
