#include "train/checkpoint.h"

#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace rune::train {
namespace {

const TrainOptions kOptions{.batch_size = 3, .sequence_length = 5};

TrainState example() {
  const ModelOptions options{.cell = Cell::lstm, .layers = 2, .hidden_size = 6};
  text::Vocabulary vocabulary(U"abcd\n");
  model::Model model{vocabulary, model::Network(options, vocabulary.size(),
                                                model::Parameters::initialized(options, vocabulary.size(), 1))};
  Optimizer optimizer(kOptions.optimizer, model.network.parameters());
  model::State carried(options, kOptions.batch_size);
  std::vector<float> hidden(2 * 3 * 6);
  for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] = static_cast<float>(i) / 100;
  const std::vector<float> cells(hidden.rbegin(), hidden.rend());
  carried.set(hidden, cells);
  Position position;
  position.step = 4;
  position.total_steps = 40;
  position.steps_per_epoch = 7;
  position.characters = 60;
  position.seconds = 0.1;
  position.reported_step = 2;
  position.loss_sum = 2.0 / 3;
  position.loss_characters = 30;
  position.best_validation_loss = 1.0 / 7;
  position.corpus_hash = "0123456789abcdef0123456789abcdef";
  position.isa = "avx2";
  return {std::move(model), std::move(optimizer), std::move(carried), position};
}

std::vector<float> weights(const TrainState& state) {
  const auto arena = state.model.network.parameters().arena();
  return {arena.begin(), arena.end()};
}

TEST(Checkpoint, EverythingComesBack) {
  const test::TemporaryFolder folder;
  TrainState state = example();
  ThreadTeam team(1);
  model::Parameters gradients = state.model.network.parameters();
  state.optimizer.step(state.model.network.mutable_parameters(), gradients, 0.01, 1, team);
  save_checkpoint(folder / "last", state);
  TrainState loaded = load_checkpoint(folder / "last", kOptions);
  EXPECT_EQ(loaded.position, state.position);
  EXPECT_EQ(loaded.model.vocabulary, state.model.vocabulary);
  EXPECT_EQ(loaded.model.network.options(), state.model.network.options());
  EXPECT_EQ(weights(loaded), weights(state));
  EXPECT_EQ(loaded.carried.hidden_values(), state.carried.hidden_values());
  EXPECT_EQ(loaded.carried.cell_values(), state.carried.cell_values());
  EXPECT_EQ(loaded.optimizer.steps(), state.position.step);
  save_checkpoint(folder / "again", loaded);
  EXPECT_EQ(read_file(folder / "again"), read_file(folder / "last"));
}

TEST(Checkpoint, TheWeightsAloneAreAModelWithAPosition) {
  const test::TemporaryFolder folder;
  const TrainState state = example();
  save_weights(folder / "best", state);
  const auto file = format::SafetensorsFile::read(folder / "best");
  EXPECT_EQ(position_of(file), state.position);
  EXPECT_EQ(file.tensors().size(), state.model.network.parameters().tensors().size());
  EXPECT_NO_THROW(model::load_model(folder / "best"));
  EXPECT_THROW(load_checkpoint(folder / "best", kOptions), InputError);
}

RC_GTEST_PROP(Checkpoint, NumbersKeepTheirBits, ()) {
  const test::TemporaryFolder folder;
  TrainState state = example();
  state.position.loss_sum =
      std::ldexp(static_cast<double>(*rc::gen::arbitrary<std::int64_t>()), *rc::gen::inRange(-1000, 900));
  save_weights(folder / "best", state);
  RC_ASSERT(position_of(format::SafetensorsFile::read(folder / "best")) == state.position);
}

TEST(Checkpoint, EveryCutIsRefused) {
  const test::TemporaryFolder folder;
  save_checkpoint(folder / "last", example());
  const std::string whole = read_file(folder / "last");
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    write_file_atomically(folder / "cut", std::string_view(whole).substr(0, size));
    EXPECT_THROW(load_checkpoint(folder / "cut", kOptions), InputError) << size;
  }
}

TEST(CheckpointSlow, EverySingleBitAndEveryCutCounts) {
  const test::TemporaryFolder folder;
  const ModelOptions options{.cell = Cell::rnn, .layers = 1, .hidden_size = 1};
  model::Model model = model::new_model(options, text::Vocabulary(U"ab"), 1);
  Optimizer optimizer({}, model.network.parameters());
  save_checkpoint(folder / "last", {std::move(model), std::move(optimizer), model::State(options, 3), {}});
  std::string bytes = read_file(folder / "last");
  ASSERT_NO_THROW(format::SafetensorsFile::parse(bytes, "whole"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(format::SafetensorsFile::parse(std::string_view(bytes).substr(0, size), "cut"), InputError) << size;
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    char& byte = bytes[bit / 8];
    byte = static_cast<char>(byte ^ 1 << bit % 8);
    EXPECT_THROW(format::SafetensorsFile::parse(bytes, "flipped"), InputError) << "bit " << bit;
    byte = static_cast<char>(byte ^ 1 << bit % 8);
  }
}

// A file of the example with its tensors and metadata changed.
class DamagedCheckpoint : public testing::Test {
 protected:
  using Tensors = std::vector<format::TensorView>;

  void SetUp() override { save_checkpoint(folder_ / "last", example()); }

  void expect_refused(const std::string& message, const std::function<void(Tensors&, format::Metadata&)>& damage,
                      const TrainOptions& options = kOptions) {
    const auto file = format::SafetensorsFile::read(folder_ / "last");
    Tensors tensors = file.tensors();
    format::Metadata metadata = file.metadata();
    damage(tensors, metadata);
    format::write_safetensors(folder_ / "damaged", tensors, metadata);
    try {
      load_checkpoint(folder_ / "damaged", options);
      ADD_FAILURE() << "accepted: " << message;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr(message), testing::HasSubstr("damaged")));
    }
  }

  static void remove(Tensors& tensors, const std::string& name) {
    std::erase_if(tensors, [&](const auto& tensor) { return tensor.name == name; });
  }
  static void replace(Tensors& tensors, const std::string& name, const std::vector<float>& values) {
    for (auto& tensor : tensors) {
      if (tensor.name == name) tensor = format::tensor_view(name, tensor.shape, values);
    }
  }
  static void edit(format::Metadata& metadata, const std::string& from, const std::string& to) {
    std::string& json = metadata["rune.train"];
    const std::size_t place = json.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    json.replace(place, from.size(), to);
  }

  test::TemporaryFolder folder_;
};

TEST_F(DamagedCheckpoint, MissingAndUnknownTensors) {
  expect_refused("state.hidden", [](auto& tensors, auto&) { remove(tensors, "state.hidden"); });
  expect_refused("state.cell", [](auto& tensors, auto&) { remove(tensors, "state.cell"); });
  expect_refused("optimizer.exp_avg.fc.bias",
                 [](auto& tensors, auto&) { remove(tensors, "optimizer.exp_avg.fc.bias"); });
  const std::vector<float> one{1};
  expect_refused("optimizer.*",
                 [&](auto& tensors, auto&) { tensors.push_back(format::tensor_view("optimizer.x", {1}, one)); });
  expect_refused("state.*", [&](auto& tensors, auto&) { tensors.push_back(format::tensor_view("state.x", {1}, one)); });
}

TEST_F(DamagedCheckpoint, WeightsThatAreAveraged) {
  const auto nothing = [](auto&, auto&) {};
  TrainOptions averaging = kOptions;
  averaging.ema_decay = 0.9;
  expect_refused("tensors raw.*, found 0; was ema_decay changed?", nothing, averaging);
  TrainState state = example();
  state.average.emplace(averaging.ema_decay, state.model);
  save_checkpoint(folder_ / "last", state);
  EXPECT_EQ(weights(load_checkpoint(folder_ / "last", averaging)), weights(state));
  expect_refused("expected 0 tensors raw.*", nothing);
  expect_refused(
      "raw.", [](auto& tensors, auto&) { remove(tensors, "raw.fc.bias"); }, averaging);
  const std::vector<float> bad(5, std::nanf(""));
  expect_refused(
      "raw.fc.bias", [&](auto& tensors, auto&) { replace(tensors, "raw.fc.bias", bad); }, averaging);
}

TEST_F(DamagedCheckpoint, ValuesThatAreNotFinite) {
  const std::vector<float> bad(2 * 3 * 6, std::nanf(""));
  expect_refused("state.cell", [&](auto& tensors, auto&) { replace(tensors, "state.cell", bad); });
  const std::vector<float> negative(5, -1);
  expect_refused("optimizer.exp_avg_sq.fc.bias",
                 [&](auto& tensors, auto&) { replace(tensors, "optimizer.exp_avg_sq.fc.bias", negative); });
}

TEST_F(DamagedCheckpoint, Metadata) {
  const auto edited = [](std::string from, std::string to) {
    return [from = std::move(from), to = std::move(to)](auto&, auto& metadata) { edit(metadata, from, to); };
  };
  expect_refused("rune.train", [](auto&, auto& metadata) { metadata.erase("rune.train"); });
  expect_refused("flat JSON object", [](auto&, auto& metadata) { metadata["rune.train"] = "{"; });
  expect_refused("flat JSON object", [](auto&, auto& metadata) { metadata["rune.train"] = "[]"; });
  expect_refused("flat JSON object", edited("{", "{\"step\":4,"));
  expect_refused("expected another step", edited("\"step\":4", "\"step\":-4"));
  expect_refused("expected another step", edited("\"step\":4", "\"step\":4.5"));
  expect_refused("expected another step", edited("\"step\":4", "\"step\":18446744073709551615"));
  expect_refused("expected another loss_sum", edited("\"loss_sum\":0.6666666666666666", "\"loss_sum\":null"));
  expect_refused("expected another isa", edited("\"isa\":\"avx2\"", "\"isa\":7"));
  expect_refused("expected corpus_hash", edited("\"corpus_hash\"", "\"corpus_hush\""));
  expect_refused("fields", edited("{", "{\"extra\":4,"));
  expect_refused("step up to 3", edited("\"total_steps\":40", "\"total_steps\":3"));
  expect_refused("last report", edited("\"reported_step\":2", "\"reported_step\":5"));
}

TEST_F(DamagedCheckpoint, OptionsThatDoNotFit) {
  const auto nothing = [](auto&, auto&) {};
  expect_refused("batch_size", nothing, {.batch_size = 5, .sequence_length = 5});
  expect_refused("optimizer.", nothing,
                 {.batch_size = 3, .sequence_length = 5, .optimizer = {.kind = OptimizerKind::sgd}});
}

}  // namespace
}  // namespace rune::train
