#include "train/schedule.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

namespace rune::train {
namespace {

using Unit = Period::Unit;

constexpr double kBase = 0.02;
constexpr std::int64_t kEpoch = 10;
constexpr std::int64_t kTotal = 97;

double rate(const ScheduleOptions& options, std::int64_t step, std::int64_t total = kTotal) {
  return learning_rate(options, kBase, step, Epochs(kEpoch), total);
}

void expect_near(double found, double expected, std::int64_t step) {
  EXPECT_NEAR(found, expected, 1e-12 * kBase) << "step " << step;
}

TEST(Schedule, ConstantIsTheBase) {
  for (std::int64_t step = 0; step < kTotal; ++step) EXPECT_EQ(rate({}, step), kBase);
}

TEST(Schedule, StepMultipliesAtEveryPeriod) {
  const ScheduleOptions options{.kind = ScheduleKind::step, .period = {2, Unit::epochs}, .factor = 0.3};
  double expected = kBase;
  for (std::int64_t step = 0; step < kTotal; ++step) {
    if (step != 0 && step % (2 * kEpoch) == 0) expected *= 0.3;
    expect_near(rate(options, step), expected, step);
  }
}

TEST(Schedule, ExponentialMultipliesTheSameInEveryStep) {
  const ScheduleOptions every_step{.kind = ScheduleKind::exponential, .period = {1, Unit::steps}, .factor = 0.9};
  const ScheduleOptions every_epoch{.kind = ScheduleKind::exponential, .period = {1, Unit::epochs}, .factor = 0.9};
  double expected = kBase;
  for (std::int64_t step = 0; step < kTotal; ++step, expected *= 0.9) {
    expect_near(rate(every_step, step), expected, step);
    expect_near(rate(every_epoch, step * kEpoch), expected, step);
  }
}

TEST(Schedule, WarmUpStableDecay) {
  constexpr std::int64_t kWarmup = 4;
  constexpr std::int64_t kSteps = 100;
  constexpr std::int64_t kDecay = 25;
  for (const DecayShape shape : {DecayShape::linear, DecayShape::sqrt}) {
    ScheduleOptions options{.kind = ScheduleKind::wsd, .warmup = {kWarmup}};
    options.decay_fraction = 0.25;
    options.decay_shape = shape;
    for (std::int64_t step = 0; step <= kSteps; ++step) {
      double expected = kBase;
      if (step < kWarmup) expected *= static_cast<double>(step + 1) / (kWarmup + 1);
      if (step > kSteps - kDecay) {
        const double over = static_cast<double>(step - (kSteps - kDecay)) / kDecay;
        expected *= 1 - (shape == DecayShape::linear ? over : std::sqrt(over));
      }
      expect_near(rate(options, step, kSteps), expected, step);
    }
    EXPECT_EQ(rate(options, kSteps, kSteps), 0);
    EXPECT_EQ(rate(options, 5000, 0), kBase) << "how long it is is not known yet";
  }
  // After another schedule the fraction is one of what is left.
  const ScheduleOptions then = parse_schedule("constant@50 then wsd:0.5", "schedule");
  expect_near(rate(then, 74, 100), kBase, 74);
  expect_near(rate(then, 80, 100), kBase * 20 / 25, 80);
}

TEST(Schedule, CosineFollowsItsRecurrence) {
  const ScheduleOptions options{.kind = ScheduleKind::cosine, .final_learning_rate = 0.001};
  double expected = kBase;
  for (std::int64_t step = 0; step <= kTotal; ++step) {
    expect_near(rate(options, step), expected, step);
    const auto angle = [](std::int64_t s) {
      return std::numbers::pi * static_cast<double>(s) / static_cast<double>(kTotal);
    };
    expected = (1 + std::cos(angle(step + 1))) / (1 + std::cos(angle(step))) * (expected - 0.001) + 0.001;
  }
  EXPECT_EQ(rate(options, 50, /*total=*/0), kBase) << "while the end is not known";
}

TEST(Schedule, RestartsBeginEachCycleAtTheBase) {
  const ScheduleOptions options{
      .kind = ScheduleKind::restarts, .period = {5, Unit::steps}, .cycle_multiplier = 2, .final_learning_rate = 0.001};
  std::int64_t position = 0;
  std::int64_t length = 5;
  for (std::int64_t step = 0; step < kTotal; ++step) {
    const ScheduleOptions cycle{.kind = ScheduleKind::cosine, .final_learning_rate = 0.001};
    expect_near(rate(options, step), rate(cycle, position, length), step);
    if (++position == length) {
      position = 0;
      length *= 2;
    }
  }
}

TEST(Schedule, RestartsOfEqualLengthRepeat) {
  const ScheduleOptions options{.kind = ScheduleKind::restarts, .period = {1, Unit::epochs}};
  for (std::int64_t step = 0; step < kTotal; ++step)
    EXPECT_EQ(rate(options, step), rate(options, step % kEpoch)) << step;
  EXPECT_EQ(rate(options, 5), kBase / 2);
}

TEST(Schedule, StagesFollowEachOtherAndTheLastGoesOn) {
  const ScheduleOptions options{
      .kind = ScheduleKind::stages,
      .stages = {{1e-3, {2, Unit::epochs}}, {1e-4, {7, Unit::steps}}, {1e-5, {1, Unit::steps}}}};
  EXPECT_EQ(rate(options, 0), 1e-3);
  EXPECT_EQ(rate(options, 19), 1e-3);
  EXPECT_EQ(rate(options, 20), 1e-4);
  EXPECT_EQ(rate(options, 26), 1e-4);
  EXPECT_EQ(rate(options, 27), 1e-5);
  EXPECT_EQ(rate(options, 1000), 1e-5);
}

TEST(Schedule, WarmupRisesInEqualStepsAndDelaysTheRest) {
  for (const auto* text :
       {"constant", "step:3:0.5", "exponential:0.9", "cosine:0.001", "restarts:4:2", "stages:0.02@3,0.01@5"}) {
    const ScheduleOptions plain = parse_schedule(text, "schedule");
    ScheduleOptions warmed = plain;
    warmed.warmup = {4, Unit::steps};
    for (std::int64_t step = 0; step < 4; ++step)
      expect_near(rate(warmed, step), kBase * static_cast<double>(step + 1) / 5, step);
    for (std::int64_t step = 4; step < 50; ++step)
      EXPECT_EQ(rate(warmed, step), rate(plain, step - 4, kTotal - 4)) << text << step;
  }
}

TEST(Schedule, ASlowStartIsPartOfTheFirstCycle) {
  const ScheduleOptions plain = parse_schedule("restarts:20:2", "schedule");
  const ScheduleOptions slow = parse_schedule("restarts:20:2:0:3", "schedule");
  for (std::int64_t step = 0; step < kTotal; ++step) {
    EXPECT_EQ(rate(slow, step), step < 3 ? kBase / 100 : rate(plain, step)) << step;
  }
}

TEST(Schedule, OneFollowsAnotherFromItsOwnStart) {
  const ScheduleOptions options =
      parse_schedule("constant@1e then restarts:8:2:0:2@25 then stages:0.5@2,0.25@3 then cosine", "schedule");
  const ScheduleOptions restarts = parse_schedule("restarts:8:2:0:2", "schedule");
  const ScheduleOptions cosine = parse_schedule("cosine", "schedule");
  for (std::int64_t step = 0; step < kTotal; ++step) {
    const double found = rate(options, step);
    if (step < 10) {
      EXPECT_EQ(found, kBase) << step;
    } else if (step < 35) {
      EXPECT_EQ(found, rate(restarts, step - 10)) << step;
    } else if (step < 40) {
      EXPECT_EQ(found, step < 37 ? 0.5 : 0.25) << step;
    } else {
      EXPECT_EQ(found, rate(cosine, step - 40, kTotal - 40)) << step;
    }
  }
}

TEST(Schedule, LengthsInEpochsFollowEpochsOfDifferentLength) {
  const Epochs epochs([](std::int64_t epoch) { return 10 + epoch; });  // 0, 10, 21, 33, 46, ...
  const ScheduleOptions options = parse_schedule("constant@2e then step:1e:0.5", "schedule");
  const auto at = [&](std::int64_t step) { return learning_rate(options, 1, step, epochs, 100); };
  EXPECT_EQ(at(20), 1);
  EXPECT_EQ(at(32), 1);
  EXPECT_EQ(at(33), 0.5);
  EXPECT_EQ(at(45), 0.5);
  EXPECT_EQ(at(46), 0.25);
}

TEST(Schedule, CountsTheCyclesThatAreOver) {
  const ScheduleOptions options = parse_schedule("constant@10 then restarts:5:2@20 then restarts:4", "schedule");
  const Epochs epochs(kEpoch);
  std::vector<std::int64_t> ends;
  for (std::int64_t step = 1; step <= 40; ++step) {
    const std::int64_t over = cycles_over(options, step, epochs);
    if (over != cycles_over(options, step - 1, epochs)) {
      ends.push_back(step);
      EXPECT_EQ(over, static_cast<std::int64_t>(ends.size()));
    }
  }
  EXPECT_EQ(ends, (std::vector<std::int64_t>{15, 25, 30, 34, 38})) << "the one that is cut at 30 counts";
  EXPECT_EQ(cycles_over(parse_schedule("cosine", "schedule"), 50, epochs), 0);
}

TEST(Schedule, ReadsEveryForm) {
  const auto parse = [](const char* text) { return parse_schedule(text, "schedule"); };
  EXPECT_EQ(parse("constant"), ScheduleOptions{});
  EXPECT_EQ(parse("step:10e:0.2"),
            (ScheduleOptions{.kind = ScheduleKind::step, .period = {10, Unit::epochs}, .factor = 0.2}));
  EXPECT_EQ(parse("exponential:0.95"), (ScheduleOptions{.kind = ScheduleKind::exponential, .factor = 0.95}));
  EXPECT_EQ(parse("exponential:0.95:100"),
            (ScheduleOptions{.kind = ScheduleKind::exponential, .period = {100}, .factor = 0.95}));
  EXPECT_EQ(parse("cosine"), (ScheduleOptions{.kind = ScheduleKind::cosine}));
  EXPECT_EQ(parse("cosine:1e-5"), (ScheduleOptions{.kind = ScheduleKind::cosine, .final_learning_rate = 1e-5}));
  EXPECT_EQ(parse("restarts:963"), (ScheduleOptions{.kind = ScheduleKind::restarts, .period = {963}}));
  EXPECT_EQ(parse("restarts:1e:2:1e-4"), (ScheduleOptions{.kind = ScheduleKind::restarts,
                                                          .period = {1, Unit::epochs},
                                                          .cycle_multiplier = 2,
                                                          .final_learning_rate = 1e-4}));
  EXPECT_EQ(parse("stages:1e-3@4e,1e-4@200"),
            (ScheduleOptions{.kind = ScheduleKind::stages, .stages = {{1e-3, {4, Unit::epochs}}, {1e-4, {200}}}}));
  EXPECT_EQ(parse("wsd"), (ScheduleOptions{.kind = ScheduleKind::wsd}));
  EXPECT_EQ(parse("wsd:0.1:sqrt"),
            (ScheduleOptions{.kind = ScheduleKind::wsd, .decay_fraction = 0.1, .decay_shape = DecayShape::sqrt}));
}

TEST(Schedule, RefusesOtherTextsNamingTheOption) {
  for (const char* text : {"",
                           "cosin",
                           "constant:1",
                           "step",
                           "step:1e",
                           "step:1e:x",
                           "step:1e:0.1:2",
                           "exponential",
                           "cosine:1:2",
                           "constant then cosine",
                           "cosine then",
                           "constant@1e then",
                           "restarts:1:2:0:1:1",
                           "restarts",
                           "restarts:x",
                           "stages",
                           "stages:",
                           "stages:1e-3",
                           "stages:1e-3@",
                           "stages:1@2@3",
                           "wsd:x",
                           "wsd:0.2:round",
                           "wsd:0.2:sqrt:1",
                           "cosine:nan"}) {
    try {
      parse_schedule(text, "--schedule");
      ADD_FAILURE() << "accepted " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("--schedule"));
    }
  }
}

TEST(Schedule, SuggestsTheNearestName) {
  try {
    parse_schedule("cosin", "schedule");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean 'cosine'?"));
  }
}

RC_GTEST_PROP(Schedule, TextAndBack, ()) {
  const auto number = [] { return std::ldexp(*rc::gen::inRange(1, 1 << 30), *rc::gen::inRange(-60, 10)); };
  const auto period = [] {
    return Period{static_cast<double>(*rc::gen::inRange(1, 1000)), *rc::gen::element(Unit::steps, Unit::epochs)};
  };
  ScheduleOptions options;
  options.kind =
      *rc::gen::element(ScheduleKind::constant, ScheduleKind::step, ScheduleKind::exponential, ScheduleKind::cosine,
                        ScheduleKind::restarts, ScheduleKind::stages, ScheduleKind::wsd);
  const ScheduleKind kind = options.kind;
  const bool cosine = kind == ScheduleKind::cosine || kind == ScheduleKind::restarts;
  if (kind == ScheduleKind::step || kind == ScheduleKind::exponential) options.factor = number();
  if (kind == ScheduleKind::step || kind == ScheduleKind::exponential || kind == ScheduleKind::restarts)
    options.period = period();
  if (kind == ScheduleKind::restarts) options.cycle_multiplier = number();
  if (cosine) options.final_learning_rate = number();
  if (kind == ScheduleKind::wsd) {
    options.decay_fraction = number();
    options.decay_shape = *rc::gen::element(DecayShape::linear, DecayShape::sqrt);
  }
  if (kind == ScheduleKind::stages) {
    for (int i = *rc::gen::inRange(1, 5); i > 0; --i) options.stages.push_back({number(), period()});
  }
  RC_ASSERT(parse_schedule(to_string(options), "schedule") == options);
  ScheduleOptions first = options;
  if (kind != ScheduleKind::stages) first.length = period();
  if (kind == ScheduleKind::restarts) first.slow_start = period();
  first.then = {options};
  RC_ASSERT(parse_schedule(to_string(first), "schedule") == first);
}

}  // namespace
}  // namespace rune::train
