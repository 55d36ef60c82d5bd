#include "train/period.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

namespace rune::train {
namespace {

using Unit = Period::Unit;

TEST(Period, ReadsStepsEpochsAndMinutes) {
  EXPECT_EQ(parse_period("500", "save-every"), (Period{500, Unit::steps}));
  EXPECT_EQ(parse_period("2e", "save-every"), (Period{2, Unit::epochs}));
  EXPECT_EQ(parse_period("0.25e", "save-every"), (Period{0.25, Unit::epochs}));
  EXPECT_EQ(parse_period("1.5m", "save-every"), (Period{1.5, Unit::minutes}));
  EXPECT_EQ(parse_period("0", "warmup"), (Period{0, Unit::steps}));
}

TEST(Period, RefusesEverythingElseNamingOptionAndText) {
  for (const char* text : {"", "e", "m", "1.5", "-1", "-0", "-2e", "2 e", "2ee", "2E", "1e3", "nan", "inf", "infm",
                           "1e16", "99999999999999999", "0x10"}) {
    try {
      parse_period(text, "save-every");
      ADD_FAILURE() << "accepted " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(),
                  testing::AllOf(testing::HasSubstr("save-every"), testing::HasSubstr("'" + std::string(text) + "'")));
    }
  }
}

RC_GTEST_PROP(Period, TextAndBack, ()) {
  const auto unit = *rc::gen::element(Unit::steps, Unit::epochs, Unit::minutes);
  const auto whole = static_cast<double>(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000));
  const Period period{unit == Unit::steps ? whole : whole / *rc::gen::inRange(1, 1'000'000), unit};
  RC_ASSERT(parse_period(to_string(period), "eval-every") == period);
}

}  // namespace
}  // namespace rune::train
