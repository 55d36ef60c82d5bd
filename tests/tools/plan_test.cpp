#include "tools/plan.h"

#include <gtest/gtest.h>

#include "model/parameters.h"
#include "train/train_options.h"

namespace rune::tools {
namespace {

constexpr double kLaptop = 60e9;  // multiply-adds a second
constexpr TextSize kPoem{.training = 20'000, .validation = 2'000, .vocabulary_size = 60};
constexpr TextSize kNovel{.training = 1'800'000, .validation = 200'000, .vocabulary_size = 83};

TrainingPlan plan(double minutes, const TextSize& text = kNovel, double speed = kLaptop) {
  TrainingPlan plan = plan_training(minutes, speed, text);
  EXPECT_NO_THROW(model::validate(plan.model));
  EXPECT_NO_THROW(train::validate(plan.train));
  return plan;
}

double steps(const TrainingPlan& plan) {
  return plan.characters_per_second * 60 * plan.train.duration.value /
         (plan.train.batch_size * plan.train.sequence_length);
}

TEST(Plan, MoreTimeOrAFasterMachineTrainsALargerModel) {
  int before = 0;
  for (const double minutes : {1, 3, 10, 30, 120, 600}) {
    const TrainingPlan longer = plan(minutes, {.training = 1'000'000'000, .vocabulary_size = 100});
    EXPECT_GT(longer.model.hidden_size, before) << minutes;
    before = longer.model.hidden_size;
  }
  EXPECT_GT(plan(3, kNovel, 4 * kLaptop).model.hidden_size, plan(3).model.hidden_size);
}

TEST(Plan, AShortTextGetsASmallModelAndMoreDropout) {
  const TrainingPlan novel = plan(10);
  const TrainingPlan poem = plan(10, kPoem);
  EXPECT_LT(poem.model.hidden_size, novel.model.hidden_size);
  EXPECT_GT(poem.model.dropout, novel.model.dropout);
  EXPECT_GT(poem.model.weight_drop, 0);
  EXPECT_EQ(novel.model.weight_drop, 0);
  const TrainingPlan narrow = plan(1, {.training = 30'000, .vocabulary_size = 60}, kLaptop / 10);
  EXPECT_GT(narrow.epochs, 20);
  EXPECT_LT(narrow.model.dropout, poem.model.dropout);  // it could not spare as many units
  EXPECT_GT(poem.epochs, novel.epochs);
}

TEST(Plan, ThereAreEnoughStepsForTheRateToFall) {
  for (const double minutes : {1, 3, 10, 30, 120, 600}) {
    const TrainingPlan some = plan(minutes);
    EXPECT_GT(steps(some), 500) << minutes;
    EXPECT_EQ(some.train.schedule.kind, ScheduleKind::cosine);
    EXPECT_LT(some.train.schedule.warmup.value, steps(some) / 10);
    EXPECT_EQ(some.train.duration, (Period{minutes, Period::Unit::minutes}));
  }
}

TEST(Plan, EvaluationsTakeASmallPartOfTheTime) {
  const TextSize large{.training = 900'000'000, .validation = 100'000'000, .vocabulary_size = 200};
  const TrainingPlan some = plan(10, large);
  const double characters_per_second = 3 * some.characters_per_second;  // forward alone
  const double evaluation = static_cast<double>(large.validation) / characters_per_second / 60;
  EXPECT_GE(some.train.eval_every.value, 10 * evaluation);
  const TextSize small{.training = 900'000, .validation = 50'000, .vocabulary_size = 80};
  EXPECT_DOUBLE_EQ(plan(10, small).train.eval_every.value, 1);
}

TEST(Plan, RecordsAreTrainedAsRecords) {
  EXPECT_EQ(plan(10).train.batching, Batching::streams);
  TextSize names = kNovel;
  names.records = true;
  EXPECT_EQ(plan(10, names).train.batching, Batching::records);
}

// A cell has no options of another one, whatever the text and the time.
TEST(Plan, IsMadeForTheShapeThatIsAskedFor) {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat, Cell::mingru}) {
    for (const TextSize& text : {kNovel, kPoem}) {
      const TrainingPlan some = plan_training(10, kLaptop, text, {.cell = cell, .layers = 1, .hidden_size = 96});
      EXPECT_NO_THROW(model::validate(some.model));
      EXPECT_EQ(some.model.cell, cell);
      EXPECT_EQ(some.model.layers, 1);
      EXPECT_EQ(some.model.hidden_size, 96);
    }
  }
  const TrainingPlan small = plan_training(10, kLaptop, kNovel, {.hidden_size = 64});
  const TrainingPlan large = plan_training(10, kLaptop, kNovel, {.hidden_size = 1024});
  EXPECT_GT(small.epochs, 100 * large.epochs);
  EXPECT_GT(small.train.optimizer.learning_rate, large.train.optimizer.learning_rate);
}

TEST(Plan, WordsGetAnEmbedding) {
  TextSize words = kNovel;
  words.vocabulary_size = 30'000;
  EXPECT_GT(plan(10, words).model.embedding, 0);
  EXPECT_EQ(plan(10).model.embedding, 0);
}

TEST(Plan, TheSpeedIsMeasured) {
  ModelOptions model;
  model.hidden_size = 64;
  const double speed = training_speed(model, 8, {.threads = 1, .precision = Precision::f32}, 0.1);
  EXPECT_GT(speed, 1e6);
  EXPECT_LT(speed, 1e14);
}

// However fast it is.
TEST(Plan, OfThisMachineIsAPlan) {
  const TrainingPlan some = plan_training(0.1, Machine{.threads = 1}, kNovel);
  EXPECT_NO_THROW(model::validate(some.model));
  EXPECT_GT(some.characters_per_second, 0);
  EXPECT_EQ(some.train.duration, (Period{0.1, Period::Unit::minutes}));
}

}  // namespace
}  // namespace rune::tools
