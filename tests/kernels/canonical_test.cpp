#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "base/random.h"
#include "kernels/all_kernels.h"
#include "kernels/packed.h"

namespace rune::kernels {
namespace {

std::vector<std::uint32_t> bits_of(std::span<const float> values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

std::vector<float> random_values(std::size_t n, std::uint64_t seed, float scale) {
  const RandomStream stream(seed, RandomPurpose::shuffle);
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = scale * (2 * stream.uniform(i) - 1);
  return values;
}

/// A stage of a cell, and where its recurrent product goes.
struct StageCase {
  const char* name;
  CellKind kind;
  bool inner;
  std::size_t slots, product_slots, first_slot;
};
constexpr std::array kStages{StageCase{"rnn_tanh", CellKind::rnn_tanh, false, 1, 1, 0},
                             StageCase{"rnn_relu", CellKind::rnn_relu, false, 1, 1, 0},
                             StageCase{"gru", CellKind::gru, false, 4, 3, 1},
                             StageCase{"lstm", CellKind::lstm, false, 4, 4, 0},
                             StageCase{"loop_inner", CellKind::loop, true, 2, 0, 0},
                             StageCase{"loop_outer", CellKind::loop, false, 2, 1, 1},
                             StageCase{"loop_concat_inner", CellKind::loop_concat, true, 2, 1, 0},
                             StageCase{"loop_concat_outer", CellKind::loop_concat, false, 2, 1, 1}};

/// The bits of a layer's gates, states and logits after a few steps, of so many rows that tiles of all heights occur.
std::vector<std::uint32_t> bits_of_steps(const StageCase& stage, const Kernels& kernels) {
  constexpr std::size_t kBlocks = 17;  // of units: a depth of more than one pass
  constexpr std::size_t kUnits = kBlocks * kPanel;
  constexpr std::size_t kRows = 13;
  const std::size_t stride = stage.slots * kUnits;
  const std::size_t columns = stage.product_slots * kUnits;
  std::vector<std::int32_t> rows(columns);
  std::iota(rows.begin(), rows.end(), 0);
  PackedMatrix weights(kernels, kUnits, columns / kPanel);
  weights.pack_transposed(random_values(columns * kUnits, 1, 0.2F).data(), kUnits, rows, 0, columns / kPanel);
  std::vector<float> hidden = random_values(kRows * kUnits, 2, 1);
  std::vector<float> next(kRows * kUnits);
  std::vector<float> cell = random_values(kRows * kUnits, 3, 2);
  const bool lstm = stage.kind == CellKind::lstm;
  std::vector<std::uint32_t> all;
  for (std::uint64_t step = 0; step < 3; ++step) {
    std::vector<float> gates = random_values(kRows * stride, 4 + step, 2);
    const CellKernels& of_cell = kernels.cells[static_cast<std::size_t>(stage.kind)];
    (stage.inner ? of_cell.inner : of_cell.outer)
        .step({.a = plain_rows<const float>(hidden.data(), kUnits),
               .rows = kRows,
               .group_depth = kUnits,
               .b = weights.from(0),
               .panels = columns / kPanel,
               .c = plain_rows(gates.data(), stride),
               .columns = {stage.product_slots, stage.slots * kPanel, stage.first_slot * kPanel},
               .start = Start::add},
              {.rows = kRows,
               .gates = gates.data(),
               .gates_stride = stride,
               .previous_hidden = hidden.data(),
               .previous_cell = lstm ? cell.data() : nullptr,
               .hidden = next.data(),
               .cell = lstm ? cell.data() : nullptr,
               .stride = kUnits},
              kBlocks);
    std::swap(hidden, next);
    for (const auto& values : {gates, hidden, cell}) {
      const auto bits = bits_of(values);
      all.insert(all.end(), bits.begin(), bits.end());
    }
  }
  return all;
}

class CanonicalStageTest : public testing::TestWithParam<StageCase> {};
INSTANTIATE_TEST_SUITE_P(All, CanonicalStageTest, testing::ValuesIn(kStages),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(CanonicalStageTest, BitsAreThoseOfEveryOtherInstructionSet) {
  const auto all = all_canonical_kernels();
  ASSERT_GE(all.size(), 3);
  const auto expected = bits_of_steps(GetParam(), *all.front().kernels);
  for (const NamedKernels& named : all)
    EXPECT_TRUE(bits_of_steps(GetParam(), *named.kernels) == expected) << named.name;
}

TEST(CanonicalTest, ExponentialsAreThoseOfEveryOtherInstructionSet) {
  std::vector<float> in;
  for (std::uint32_t i = 0; i < 100'003; ++i) in.push_back(-static_cast<float>(i) * 0.001F);
  std::vector<std::uint32_t> expected;
  for (const NamedKernels& named : all_canonical_kernels()) {
    std::vector<float> out(in.size());
    named.kernels->exponentials(in.data(), in.size(), 0, 1, out.data());
    EXPECT_FLOAT_EQ(out[1000], 0.36787944F);
    if (expected.empty()) expected = bits_of(out);
    EXPECT_TRUE(bits_of(out) == expected) << named.name;
  }
}

// Otherwise these tests would compare nothing that could differ.
TEST(CanonicalTest, FusedKernelsHaveOtherBits) {
  if (kernels().isa == Isa::baseline) GTEST_SKIP() << "this processor has no fused multiply-add";
  EXPECT_FALSE(bits_of_steps(kStages[3], kernels()) == bits_of_steps(kStages[3], canonical()));
}

TEST(CanonicalTest, IsOfTheInstructionSetThatWasChosen) {
  EXPECT_EQ(canonical().isa, kernels().isa);
  EXPECT_NE(&canonical(), &kernels());
}

}  // namespace
}  // namespace rune::kernels
