#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kernels/all_kernels.h"
#include "kernels/kernels.h"
#include "support/reference_kernels.h"

namespace rune::kernels {
namespace {

using test::Vector;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// A stage of a cell, and which of its slots the pointwise part works on.
struct StageCase {
  const char* name;
  CellKind kind;
  bool inner;
  std::size_t slots;
  std::size_t first_slot, last_slot;

  [[nodiscard]] const StageKernels& of(const Kernels& kernels) const {
    const CellKernels& cell = kernels.cells[static_cast<std::size_t>(kind)];
    return inner ? cell.inner : cell.outer;
  }
  [[nodiscard]] bool uses(std::size_t slot) const { return slot >= first_slot && slot < last_slot; }
};
constexpr std::array kStages{StageCase{"rnn_tanh", CellKind::rnn_tanh, false, 1, 0, 1},
                             StageCase{"rnn_relu", CellKind::rnn_relu, false, 1, 0, 1},
                             StageCase{"gru", CellKind::gru, false, 4, 0, 4},
                             StageCase{"lstm", CellKind::lstm, false, 4, 0, 4},
                             StageCase{"loop_inner", CellKind::loop, true, 2, 0, 1},
                             StageCase{"loop_outer", CellKind::loop, false, 2, 1, 2},
                             StageCase{"loop_concat_inner", CellKind::loop_concat, true, 2, 0, 1},
                             StageCase{"loop_concat_outer", CellKind::loop_concat, false, 2, 1, 2},
                             StageCase{"mingru", CellKind::mingru, false, 2, 0, 2}};

/// One unit by the textbook: from pre-activations (by slot), h' and c' to h (or u) and c.
std::array<double, 2> textbook(const StageCase& stage, const Vector& in) {
  const double* gate = in.data();
  const double h = in[4];
  const double c = in[5];
  if (stage.inner) return {(stage.kind == CellKind::loop ? h : 0) + std::max(gate[0], 0.0), 0};
  switch (stage.kind) {
    case CellKind::rnn_tanh:
      return {std::tanh(gate[0]), 0};
    case CellKind::rnn_relu:
      return {gate[0] > 0 ? gate[0] : 0, 0};
    case CellKind::gru: {
      const double n = std::tanh(gate[0] + sigmoid(gate[1]) * gate[3]);
      const double z = sigmoid(gate[2]);
      return {(1 - z) * n + z * h, 0};
    }
    case CellKind::loop:
    case CellKind::loop_concat:
      return {std::tanh(gate[1]), 0};
    case CellKind::mingru: {
      const double z = sigmoid(gate[0]);
      const double candidate = gate[1] < 0 ? sigmoid(gate[1]) : gate[1] + 0.5;
      return {(1 - z) * h + z * candidate, 0};
    }
    case CellKind::lstm:
      break;
  }
  const double next = sigmoid(gate[1]) * c + sigmoid(gate[0]) * std::tanh(gate[2]);
  return {sigmoid(gate[3]) * std::tanh(next), next};
}

/// One step of a block of 16 units, with random contents, forward and backward.
struct Step {
  static constexpr std::size_t kRows = 5;
  std::size_t slots;
  std::vector<float> pre, gates, h, c, next_h, next_c, d_h, d_previous, d_c;
  float d_next_c = 0.25F;

  Step(const Kernels& kernels, const StageCase& stage, std::uint64_t seed) : slots(stage.slots) {
    const RandomStream random(seed, RandomPurpose::shuffle);
    std::uint64_t drawn = 0;
    const auto fill = [&](std::size_t n, float scale) {
      std::vector<float> values(n);
      for (float& value : values) value = scale * (2 * random.uniform(drawn++) - 1);
      return values;
    };
    pre = fill(kRows * slots * kPanel, 3);
    gates = pre;
    h = fill(kRows * kPanel, 1);
    c = fill(kRows * kPanel, 2);
    d_h = fill(kRows * kPanel, 1);
    next_h = next_c = std::vector<float>(kRows * kPanel);
    d_previous = std::vector<float>(kRows * kPanel, 0.5F);
    d_c = std::vector<float>(kRows * kPanel, d_next_c);
    const bool lstm = stage.kind == CellKind::lstm;
    const StageKernels& functions = stage.of(kernels);
    const std::size_t stride = slots * kPanel;
    functions.step({.a = plain_rows(std::as_const(h).data(), kPanel),
                    .rows = kRows,
                    .group_depth = 0,
                    .c = plain_rows(gates.data(), stride),
                    .start = Start::add},
                   {.rows = kRows,
                    .gates = gates.data(),
                    .gates_stride = stride,
                    .previous_hidden = h.data(),
                    .previous_cell = lstm ? c.data() : nullptr,
                    .hidden = next_h.data(),
                    .cell = lstm ? next_c.data() : nullptr,
                    .stride = kPanel},
                   1);
    functions.backward({.rows = kRows,
                        .gates = gates.data(),
                        .gates_stride = stride,
                        .previous_hidden = h.data(),
                        .previous_cell = lstm ? c.data() : nullptr,
                        .hidden = next_h.data(),
                        .cell = lstm ? next_c.data() : nullptr,
                        .d_hidden = d_h.data(),
                        .d_previous_hidden = d_previous.data(),
                        .d_cell = lstm ? d_c.data() : nullptr,
                        .stride = kPanel},
                       1);
  }

  [[nodiscard]] Vector inputs(std::size_t row, std::size_t unit) const {
    Vector in(6);
    for (std::size_t s = 0; s < slots; ++s) in[s] = static_cast<double>(pre[(row * slots + s) * kPanel + unit]);
    in[4] = static_cast<double>(h[row * kPanel + unit]);
    in[5] = static_cast<double>(c[row * kPanel + unit]);
    return in;
  }
};

class CellTest : public testing::TestWithParam<std::tuple<NamedKernels, StageCase>> {};

TEST_P(CellTest, ForwardAgreesWithTheTextbook) {
  const auto& [named, stage] = GetParam();
  const Step step(*named.kernels, stage, 1);
  for (std::size_t row = 0; row < Step::kRows; ++row)
    for (std::size_t unit = 0; unit < kPanel; ++unit) {
      const auto [hidden, cell] = textbook(stage, step.inputs(row, unit));
      EXPECT_NEAR(step.next_h[row * kPanel + unit], hidden, 4e-7);
      if (stage.kind == CellKind::lstm) {
        EXPECT_NEAR(step.next_c[row * kPanel + unit], cell, 4e-7);
      }
    }
}

TEST_P(CellTest, BackwardAgreesWithFiniteDifferences) {
  const auto& [named, stage] = GetParam();
  const Step step(*named.kernels, stage, 2);
  for (std::size_t row = 0; row < Step::kRows; ++row)
    for (std::size_t unit = 0; unit < kPanel; ++unit) {
      const std::size_t at = row * kPanel + unit;
      const auto loss = [&, which = stage](const Vector& in) {
        const auto [hidden, next] = textbook(which, in);
        return static_cast<double>(step.d_h[at]) * hidden + static_cast<double>(step.d_next_c) * next;
      };
      const Vector in = step.inputs(row, unit);
      for (std::size_t s = 0; s < step.slots; ++s) {
        const float gate = step.gates[(row * step.slots + s) * kPanel + unit];
        if (stage.uses(s)) {
          EXPECT_NEAR(gate, test::finite_difference(loss, in, s), 2e-6) << "slot " << s;
        } else {
          EXPECT_EQ(gate, in[s]) << "slot " << s << " is another stage's";
        }
      }
      // The part of h' that goes past the product is added to what stands there.
      EXPECT_NEAR(step.d_previous[at], 0.5 + test::finite_difference(loss, in, 4), 2e-6);
      if (stage.kind == CellKind::lstm) {
        EXPECT_NEAR(step.d_c[at], test::finite_difference(loss, in, 5), 2e-6);
      }
    }
}

TEST_P(CellTest, NanIsNeverSwallowed) {
  const auto& [named, stage] = GetParam();
  const std::size_t slots = stage.slots;
  for (std::size_t s = stage.first_slot; s < stage.last_slot; ++s) {
    std::vector<float> gates(slots * kPanel, 0.1F), state(kPanel, 0.2F), cell(kPanel, 0.2F), hidden(kPanel),
        next(kPanel);
    gates[s * kPanel + 3] = std::numeric_limits<float>::quiet_NaN();
    stage.of(*named.kernels)
        .step({.a = plain_rows(std::as_const(state).data(), kPanel),
               .rows = 1,
               .group_depth = 0,
               .c = plain_rows(gates.data(), slots * kPanel),
               .start = Start::add},
              {.rows = 1,
               .gates = gates.data(),
               .gates_stride = slots * kPanel,
               .previous_hidden = state.data(),
               .previous_cell = cell.data(),
               .hidden = hidden.data(),
               .cell = next.data(),
               .stride = kPanel},
              1);
    for (std::size_t unit = 0; unit < kPanel; ++unit) EXPECT_EQ(std::isnan(hidden[unit]), unit == 3) << "slot " << s;
  }
}

std::string case_name(const testing::TestParamInfo<CellTest::ParamType>& info) {
  const auto& [named, stage] = info.param;
  return named.name + "_" + stage.name;
}
INSTANTIATE_TEST_SUITE_P(All, CellTest, testing::Combine(testing::ValuesIn(all_kernels()), testing::ValuesIn(kStages)),
                         case_name);

TEST(CellTable, HasAnInnerStageForLoopCellsAlone) {
  for (const NamedKernels& named : all_kernels())
    for (std::size_t kind = 0; kind < kCellKinds; ++kind) {
      const CellKernels& cell = named.kernels->cells[kind];
      const bool loop =
          kind == static_cast<std::size_t>(CellKind::loop) || kind == static_cast<std::size_t>(CellKind::loop_concat);
      EXPECT_NE(cell.outer.step, nullptr) << named.name << ' ' << kind;
      EXPECT_NE(cell.outer.backward, nullptr) << named.name << ' ' << kind;
      EXPECT_EQ(cell.inner.step != nullptr, loop) << named.name << ' ' << kind;
      EXPECT_EQ(cell.inner.backward != nullptr, loop) << named.name << ' ' << kind;
    }
}

class TanhTest : public testing::TestWithParam<NamedKernels> {};

TEST_P(TanhTest, IsAccurateToTwoUnitsInTheLastPlace) {
  double worst = 0;
  for (int i = -200000; i < 200000; i += static_cast<int>(kPanel)) {
    std::array<float, kPanel> gates{}, hidden{}, previous{};
    for (std::size_t j = 0; j < kPanel; ++j) gates[j] = static_cast<float>(i + static_cast<int>(j)) * 5.01e-5F;
    GetParam().kernels->cells[static_cast<std::size_t>(CellKind::rnn_tanh)].outer.step(
        {.a = plain_rows<const float>(previous.data(), kPanel),
         .rows = 1,
         .group_depth = 0,
         .c = plain_rows(gates.data(), kPanel),
         .start = Start::add},
        {.rows = 1,
         .gates = gates.data(),
         .gates_stride = kPanel,
         .previous_hidden = previous.data(),
         .hidden = hidden.data(),
         .stride = kPanel},
        1);
    for (std::size_t j = 0; j < kPanel; ++j) {
      const double expected = std::tanh(static_cast<double>(gates[j]));
      const double unit = std::ldexp(1.0, std::max(-149, std::ilogb(expected == 0 ? 1e-30 : expected) - 23));
      worst = std::max(worst, std::abs(static_cast<double>(hidden[j]) - expected) / unit);
    }
  }
  EXPECT_LE(worst, 2.5);
}
INSTANTIATE_TEST_SUITE_P(All, TanhTest, testing::ValuesIn(all_kernels()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace rune::kernels
