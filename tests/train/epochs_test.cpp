#include "train/epochs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <vector>

namespace rune::train {
namespace {

using Unit = Period::Unit;

Epochs growing() {
  return Epochs([](std::int64_t epoch) { return 10 + epoch; });  // they begin at 0, 10, 21, 33, ...
}

TEST(Epochs, OfEqualLength) {
  const Epochs epochs(139);
  EXPECT_TRUE(epochs.equal());
  EXPECT_EQ(epochs.first(), 139);
  EXPECT_EQ(epochs.step_at(20), 2780);
  EXPECT_EQ(epochs.epochs_at(2780), 20);
  EXPECT_EQ(epochs.place_of(140).epoch, 1);
  EXPECT_EQ(epochs.place_of(140).index, 1);
}

TEST(Epochs, OfDifferentLength) {
  const Epochs epochs = growing();
  EXPECT_FALSE(epochs.equal());
  EXPECT_EQ(epochs.first(), 10);
  EXPECT_EQ(epochs.step_at(2), 21);
  EXPECT_EQ(epochs.step_at(2.5), 27);
  EXPECT_EQ(epochs.epochs_at(21), 2);
  EXPECT_EQ(epochs.epochs_at(27), 2.5);
  EXPECT_EQ(epochs.place_of(20).epoch, 1);
  EXPECT_EQ(epochs.place_of(20).index, 10);
  EXPECT_EQ(epochs.place_of(21).epoch, 2);
  EXPECT_EQ(epochs.place_of(21).index, 0);
}

TEST(Epochs, PeriodsEndAtTheNearestStep) {
  const Epochs epochs(139);
  EXPECT_EQ(epochs.end_of({7, Unit::steps}, 0), 7);
  EXPECT_EQ(epochs.end_of({7, Unit::steps}, 100), 107);
  EXPECT_EQ(epochs.end_of({20, Unit::epochs}, 0), 2780);
  EXPECT_EQ(epochs.end_of({0.5, Unit::epochs}, 0), 70);
  EXPECT_EQ(epochs.end_of({0.001, Unit::epochs}, 5), 6) << "at least one step";
  EXPECT_EQ(epochs.end_of({0, Unit::epochs}, 5), 5);
  EXPECT_EQ(growing().end_of({2, Unit::epochs}, 10), 33);
}

TEST(Epochs, PeriodsEndAgainAndAgain) {
  const auto ends = [](const Epochs& epochs, const Period& period) {
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; step <= 33; ++step) {
      if (epochs.ends(period, step)) steps.push_back(step);
    }
    return steps;
  };
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(ends(Epochs(7), {10, Unit::steps}), (Steps{10, 20, 30}));
  EXPECT_EQ(ends(Epochs(7), {2, Unit::epochs}), (Steps{14, 28}));
  EXPECT_EQ(ends(Epochs(7), {0.5, Unit::epochs}), (Steps{4, 7, 11, 14, 18, 21, 25, 28, 32}));
  EXPECT_EQ(ends(growing(), {1, Unit::epochs}), (Steps{10, 21, 33}));
}

RC_GTEST_PROP(Epochs, StepsAndEpochsAgree, ()) {
  const auto lengths =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(1, 50)));
  const Epochs epochs([&](std::int64_t epoch) { return lengths[static_cast<std::size_t>(epoch) % lengths.size()]; });
  const auto step = *rc::gen::inRange<std::int64_t>(0, 3000);
  RC_ASSERT(epochs.step_at(epochs.epochs_at(step)) == step);
  const auto [epoch, index] = epochs.place_of(step);
  RC_ASSERT(epochs.step_at(static_cast<double>(epoch)) + index == step);
  RC_ASSERT(index >= 0);
  RC_ASSERT(index < lengths[static_cast<std::size_t>(epoch) % lengths.size()]);
}

}  // namespace
}  // namespace rune::train
