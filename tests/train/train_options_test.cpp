#include "train/train_options.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

namespace rune::train {
namespace {

TEST(TrainOptions, DefaultsAreValid) {
  EXPECT_NO_THROW(validate(TrainOptions{}));
  for (const auto kind : {OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::sgd, OptimizerKind::rmsprop}) {
    TrainOptions options;
    options.optimizer.kind = kind;
    EXPECT_NO_THROW(validate(options));
  }
}

TEST(TrainOptions, RefusesWhatBelongsToAnotherBatching) {
  const auto message = [](const TextOptions& text, const TrainOptions& train) -> std::string {
    try {
      validate(train);
      validate(text, train);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  TrainOptions windows;
  windows.batching = Batching::windows;
  TrainOptions records;
  records.batching = Batching::records;
  EXPECT_EQ(message({}, windows), "");
  EXPECT_EQ(message({.form = {.records = Records::csv}}, records), "");
  TrainOptions options = windows;
  options.reset_state = ResetState::never;
  EXPECT_THAT(message({}, options), testing::HasSubstr("reset_state to be left alone with batching windows"));
  options = TrainOptions();
  options.shuffle = true;
  EXPECT_THAT(message({}, options), testing::HasSubstr("shuffle"));
  options = windows;
  options.random_offsets = true;
  EXPECT_THAT(message({}, options), testing::HasSubstr("random_offsets to be left alone with batching windows"));
  options.random_offsets = false;
  options.sequence_doubling = {3, Period::Unit::epochs};
  EXPECT_THAT(message({}, options), testing::HasSubstr("sequence_doubling to be left alone with batching windows"));
  options.batching = Batching::streams;
  options.random_offsets = true;
  EXPECT_EQ(message({}, options), "");
  options.sequence_lengths = SequenceLengths::random;
  EXPECT_THAT(message({}, options), testing::HasSubstr("with random_offsets"));
  options.random_offsets = false;
  EXPECT_THAT(message({}, options), testing::HasSubstr("with sequence_doubling"));
  options = TrainOptions();
  options.random_offsets = true;
  options.reset_state = ResetState::validation;
  EXPECT_THAT(message({}, options), testing::HasSubstr("reset_state epoch with random_offsets"));
  options = TrainOptions();
  options.sequence_doubling = {3, Period::Unit::minutes};
  EXPECT_THAT(message({}, options), testing::HasSubstr("sequence_doubling"));
  options = records;
  options.stride = 3;
  EXPECT_THAT(message({.form = {.records = Records::csv}}, options), testing::HasSubstr("stride"));
  EXPECT_THAT(message({}, records), testing::HasSubstr("records to be one of none, lines, csv"));
  EXPECT_THAT(message({.validation_split = ValidationSplit::random_windows}, {}),
              testing::HasSubstr("validation_split"));
  options = windows;
  options.protocol = Protocol{Protocol::Kind::stream, 0};
  EXPECT_THAT(message({.validation_split = ValidationSplit::random_windows}, options),
              testing::HasSubstr("protocol batches where windows are split"));
  options = TrainOptions();
  options.reset_state = ResetState::never;
  options.protocol = Protocol{Protocol::Kind::rows, 4};
  EXPECT_THAT(message({}, options), testing::HasSubstr("protocol batches with reset_state never"));
  options = TrainOptions();
  options.reset_state = ResetState::document;
  EXPECT_EQ(message({.form = {.documents = true}}, options), "");
  EXPECT_THAT(message({}, options), testing::HasSubstr("documents with reset_state document"));
  options.sequence_lengths = SequenceLengths::random;
  EXPECT_THAT(message({.form = {.documents = true}}, options), testing::HasSubstr("fixed sequence_lengths"));
  EXPECT_THAT(message({.validation_windows = 3}, windows), testing::HasSubstr("validation_windows"));
  EXPECT_THAT(message({.min_frequency = 0}, {}), testing::HasSubstr("min_frequency to be at least 1"));
  EXPECT_THAT(message({.validation_fraction = 1}, {}),
              testing::HasSubstr("validation_fraction to be at least 0 and below 1"));
}

TEST(TrainOptions, RefusesWhatIsOutOfRangeNamingIt) {
  struct Case {
    std::string message;
    std::function<void(TrainOptions&)> change;
  };
  const std::vector<Case> cases{
      {"batch_size to be at least 1, found 0", [](auto& o) { o.batch_size = 0; }},
      {"sequence_length to be at least 1, found -3", [](auto& o) { o.sequence_length = -3; }},
      {"clip_norm to be at least 0", [](auto& o) { o.clip_norm = -1; }},
      {"clip_norm", [](auto& o) { o.clip_norm = std::numeric_limits<double>::quiet_NaN(); }},
      {"duration to be above 0, found '0e'",
       [](auto& o) {
         o.duration = {0, Period::Unit::epochs};
       }},
      {"eval_every", [](auto& o) { o.eval_every.value = 0; }},
      {"save_every", [](auto& o) { o.save_every.value = 0; }},
      {"length", [](auto& o) { o.sample.length = -1; }},
      {"temperature", [](auto& o) { o.sample.temperature = -1; }},
      {"seed", [](auto& o) { o.seed = std::numeric_limits<std::uint64_t>::max(); }},
      {"threads", [](auto& o) { o.threads = -1; }},
      {"learning_rate", [](auto& o) { o.optimizer.learning_rate = 0; }},
      {"learning_rate", [](auto& o) { o.optimizer.learning_rate = std::numeric_limits<double>::infinity(); }},
      {"beta1", [](auto& o) { o.optimizer.beta1 = 1; }},
      {"beta2", [](auto& o) { o.optimizer.beta2 = -0.1; }},
      {"eps", [](auto& o) { o.optimizer.eps = -1; }},
      {"ema_decay to be at least 0 and below 1", [](auto& o) { o.ema_decay = 1; }},
      {"weight_decay", [](auto& o) { o.optimizer.weight_decay = -1; }},
      {"warmup",
       [](auto& o) {
         o.schedule.warmup = {1, Period::Unit::minutes};
       }},
      {"schedule's period",
       [](auto& o) {
         o.schedule.period = {1, Period::Unit::minutes};
       }},
      {"schedule's factor", [](auto& o) { o.schedule.factor = 0; }},
      {"cycle multiplier", [](auto& o) { o.schedule.cycle_multiplier = 0.5; }},
      {"final learning rate", [](auto& o) { o.schedule.final_learning_rate = -1; }},
      {"decay fraction to be above 0", [](auto& o) { o.schedule.decay_fraction = 0; }},
      {"at least one stage", [](auto& o) { o.schedule.kind = ScheduleKind::stages; }},
      {"stage's length",
       [](auto& o) {
         o.schedule.stages = {{1e-3, {0, Period::Unit::steps}}};
       }},
      {"stage's learning rate",
       [](auto& o) {
         o.schedule.stages = {{0, {1, Period::Unit::steps}}};
       }},
      {"momentum to be left alone with adam", [](auto& o) { o.optimizer.momentum = 0.9; }},
      {"nesterov to be left alone with adam", [](auto& o) { o.optimizer.nesterov = true; }},
      {"alpha to be left alone with adam", [](auto& o) { o.optimizer.alpha = 0.9; }},
      {"eps to be left alone with sgd", [](auto& o) { o.optimizer = {.kind = OptimizerKind::sgd, .eps = 1e-6}; }},
      {"beta1 to be left alone with rmsprop",
       [](auto& o) { o.optimizer = {.kind = OptimizerKind::rmsprop, .beta1 = 0.8}; }},
      {"momentum to be above 0 with nesterov",
       [](auto& o) { o.optimizer = {.kind = OptimizerKind::sgd, .nesterov = true}; }},
  };
  for (const Case& wrong : cases) {
    TrainOptions options;
    wrong.change(options);
    try {
      validate(options);
      ADD_FAILURE() << "accepted: " << wrong.message;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(wrong.message));
    }
  }
}

TEST(TrainOptions, WeightDecayHasTheDefaultOfItsOptimizer) {
  EXPECT_EQ(weight_decay({.kind = OptimizerKind::adam}), 0);
  EXPECT_EQ(weight_decay({.kind = OptimizerKind::adamw}), 0.01);
  EXPECT_EQ(weight_decay({.kind = OptimizerKind::adamw, .weight_decay = 0.0}), 0);
}

}  // namespace
}  // namespace rune::train
