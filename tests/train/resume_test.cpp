#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"
#include "train/schedule.h"

namespace rune::train {
namespace {

constexpr std::int64_t kSteps = 300;
constexpr std::size_t kCells = 6;
constexpr std::size_t kOptimizers = 5;
constexpr std::size_t kSchedules = 7;
constexpr std::size_t kKinds = 4;
constexpr std::size_t kPrecisions = 2;

struct Combination {
  std::size_t cell, optimizer, schedule, kind, precision;
};

// Any two values of any two choices meet in one of the 42.
std::vector<Combination> combinations() {
  std::vector<Combination> all;
  for (std::size_t i = 0; i < kSchedules; ++i) {
    for (std::size_t j = 0; j < kCells; ++j) {
      all.push_back({j, (i + j) % kOptimizers, i, (i + 2 * j + (i + j) / 2) % kKinds, (i + j) % kPrecisions});
    }
  }
  return all;
}

std::string digits_of(const model::Model& model) {
  const auto arena = model.network.parameters().arena();
  Hash hash;
  hash.update({reinterpret_cast<const char*>(arena.data()), arena.size_bytes()});
  return hash.digits();
}

class ResumeSlow : public testing::TestWithParam<Combination> {
 protected:
  static constexpr std::array kAllCells{Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat, Cell::mingru};
  static constexpr std::array kAllKinds{Kind::streams, Kind::random_lengths, Kind::windows, Kind::records};
  static constexpr std::array kAllSchedules{"constant", "step:1e:0.9",   "exponential:0.99",
                                            "cosine",   "restarts:20:2", "stages:0.02@100,0.01@1e,0.001@10",
                                            "wsd:0.5"};

  static OptimizerOptions optimizer() {
    const std::array<OptimizerOptions, kOptimizers> all{
        OptimizerOptions{.kind = OptimizerKind::adam}, OptimizerOptions{.kind = OptimizerKind::adamw},
        OptimizerOptions{.kind = OptimizerKind::sgd},
        OptimizerOptions{.kind = OptimizerKind::sgd, .momentum = 0.9, .nesterov = true},
        OptimizerOptions{.kind = OptimizerKind::rmsprop, .momentum = 0.5}};
    return all[GetParam().optimizer];
  }
  static Kind kind() { return kAllKinds[GetParam().kind]; }

  static Trainer new_trainer(const fs::path& path) {
    TrainOptions options = train_options();
    options.optimizer = optimizer();
    options.optimizer.learning_rate = 0.01;
    options.schedule = parse_schedule(kAllSchedules[GetParam().schedule], "schedule");
    options.duration = {kSteps, Unit::steps};
    options.eval_every = {37, Unit::steps};
    options.save_every = {1000, Unit::steps};
    options.keep = 0;
    options.on_divergence = OnDivergence::stop;
    options.precision = GetParam().precision == 0 ? Precision::f32 : Precision::automatic;
    set_batching(kind(), options);
    return start(path, options, model_options(kAllCells[GetParam().cell]), corpus_for(kind()));
  }
};

TEST_P(ResumeSlow, AtEveryStepEverythingIsEqual) {
  const test::TemporaryFolder folder;
  std::vector<std::string> expected;
  {
    Trainer trainer = new_trainer(folder / "whole");
    Observer observer;
    observer.on_step = [&](const Progress&) { expected.push_back(digits_of(trainer.model())); };
    ASSERT_EQ(trainer.run(observer), Outcome::finished);
  }
  { const Trainer trainer = new_trainer(folder / "run"); }
  for (std::int64_t step = 1; step <= kSteps; ++step) {
    Trainer trainer = resume(folder / "run", corpus_for(kind()));
    trainer.run(stop_after(trainer, step));
    ASSERT_EQ(trainer.step(), step);
    ASSERT_EQ(digits_of(trainer.model()), expected[static_cast<std::size_t>(step) - 1]) << "step " << step;
  }
  EXPECT_EQ(resume(folder / "run", corpus_for(kind())).run({}), Outcome::finished) << "with the last evaluation";
  EXPECT_TRUE(result_of(folder / "run") == result_of(folder / "whole"));
}

INSTANTIATE_TEST_SUITE_P(Pairwise, ResumeSlow, testing::ValuesIn(combinations()),
                         [](const auto& instance) { return "combination_" + std::to_string(instance.index); });

TEST(ResumeCombinations, AnyTwoChoicesMeet) {
  std::set<std::pair<std::size_t, std::size_t>> pairs;
  for (const Combination& c : combinations()) {
    const std::array<std::size_t, 5> values{c.cell, 10 + c.optimizer, 20 + c.schedule, 30 + c.kind, 40 + c.precision};
    for (const std::size_t a : values) {
      for (const std::size_t b : values) {
        if (a < b) pairs.insert({a, b});
      }
    }
  }
  EXPECT_EQ(pairs.size(), kCells * kOptimizers + kCells * kSchedules + kCells * kKinds + kOptimizers * kSchedules +
                              kOptimizers * kKinds + kSchedules * kKinds +
                              kPrecisions * (kCells + kOptimizers + kSchedules + kKinds));
}

}  // namespace
}  // namespace rune::train
