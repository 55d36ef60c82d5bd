#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/matrix.h"
#include "base/random.h"
#include "kernels/all_kernels.h"
#include "kernels/kernels.h"

namespace rune::kernels {
namespace {

class PointwiseTest : public testing::TestWithParam<NamedKernels> {};
INSTANTIATE_TEST_SUITE_P(All, PointwiseTest, testing::ValuesIn(all_kernels()),
                         [](const auto& instance) { return instance.param.name; });

struct Row {
  std::vector<float> logits;  // padded with what a projection puts there
  std::size_t size;

  Row(std::size_t n, float scale, std::uint64_t seed) : logits((n + 15) / 16 * 16, -1e30F), size(n) {
    const RandomStream random(seed, RandomPurpose::shuffle);
    for (std::size_t j = 0; j < n; ++j) logits[j] = scale * (2 * random.uniform(j) - 1);
  }
};

TEST_P(PointwiseTest, CrossEntropyAndItsGradientAgreeWithTheDefinition) {
  for (const std::size_t size : {1, 2, 15, 16, 17, 83, 1000}) {
    for (const float scale : {0.1F, 3.0F, 40.0F, 1000.0F}) {
      Row row(size, scale, size);
      const std::vector<float> before = row.logits;
      const std::size_t target = size / 2;
      double top = -1e300;
      for (std::size_t j = 0; j < size; ++j) top = std::max(top, static_cast<double>(before[j]));
      double total = 0;
      for (std::size_t j = 0; j < size; ++j) total += std::exp(static_cast<double>(before[j]) - top);
      const double expected = std::log(total) + top - static_cast<double>(before[target]);

      EXPECT_NEAR(
          GetParam().kernels->cross_entropy(row.logits.data(), row.logits.size(), static_cast<std::int32_t>(target), 0),
          expected, 1e-6 * (1 + expected));
      EXPECT_EQ(row.logits, before) << "a scale of 0 leaves the logits alone";
      EXPECT_NEAR(GetParam().kernels->cross_entropy(row.logits.data(), row.logits.size(),
                                                    static_cast<std::int32_t>(target), 0.25F),
                  expected, 1e-6 * (1 + expected));
      for (std::size_t j = 0; j < size; ++j)
        EXPECT_NEAR(row.logits[j],
                    0.25 * (std::exp(static_cast<double>(before[j]) - top) / total - (j == target ? 1 : 0)), 1e-6);
      for (std::size_t j = size; j < row.logits.size(); ++j)
        EXPECT_EQ(row.logits[j], 0) << "padding has no probability";
    }
  }
}

TEST_P(PointwiseTest, ExponentialsAgreeWithTheDefinition) {
  for (const std::size_t size : {1, 7, 16, 83}) {
    const Row row(size, 20, size);
    std::vector<float> weights(size + 1, -1);
    GetParam().kernels->exponentials(row.logits.data(), size, 3, 0.5F, weights.data());
    for (std::size_t j = 0; j < size; ++j) {
      const double expected = std::exp((static_cast<double>(row.logits[j]) - 3) * 0.5);
      EXPECT_NEAR(weights[j], expected, 2e-6 * expected);
    }
    EXPECT_EQ(weights[size], -1) << "written past the end";
  }
}

/// Element (k, j) of a panel: a float, or a bf16 of interleaved pairs of rows.
float element(const Kernels& kernels, const std::vector<std::byte>& panel, std::size_t k, std::size_t j) {
  const std::size_t depth = kernels.element_depth;
  const std::byte* at = panel.data() + (k / depth * depth * kPanel + j * depth + k % depth) * kernels.element_bytes;
  if (kernels.element_bytes == sizeof(float)) {
    float value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  std::uint16_t half = 0;
  std::memcpy(&half, at, sizeof half);
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

TEST_P(PointwiseTest, APanelHoldsRowsAsColumns) {
  constexpr std::size_t kStride = 45;
  const Kernels& kernels = *GetParam().kernels;
  std::vector<float> matrix(16 * kStride);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<float>(i % 251 + 1);
  for (const std::size_t count : {0, 1, 15, 16}) {
    for (const std::size_t depth : {1, 8, 19, 45}) {
      const std::size_t padded = round_up(depth, kernels.element_depth);
      std::vector<std::byte> panel(padded * 16 * kernels.element_bytes, std::byte{0xff});
      kernels.pack_columns(matrix.data(), kStride, count, depth, panel.data());
      for (std::size_t k = 0; k < padded; ++k)
        for (std::size_t j = 0; j < 16; ++j)
          EXPECT_EQ(element(kernels, panel, k, j), j < count && k < depth ? matrix[j * kStride + k] : 0);
    }
  }
}

TEST_P(PointwiseTest, NonFiniteLogitsGiveANonFiniteLoss) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const std::size_t where : {0, 1, 7, 19}) {
      Row row(20, 1, 1);
      row.logits[where] = bad;
      EXPECT_FALSE(std::isfinite(GetParam().kernels->cross_entropy(row.logits.data(), row.logits.size(), 3, 1)))
          << bad << " at " << where;
    }
  }
}

TEST_P(PointwiseTest, DropoutFollowsItsRandomStream) {
  const RandomStream stream(5, RandomPurpose::dropout, 77, 2);
  const DropoutKey key{stream.key(), stream.step()};
  constexpr std::uint32_t kThreshold = 65536 / 5;
  for (const std::uint64_t first :
       {std::uint64_t{0}, std::uint64_t{16}, std::uint64_t{4096 + 48}, (std::uint64_t{1} << 36) - 64}) {
    for (const std::size_t n : {16, 48, 128, 144, 400}) {
      std::vector<float> in(n), out(n, -1);
      for (std::size_t i = 0; i < n; ++i) in[i] = static_cast<float>(i + 1);
      GetParam().kernels->dropout(in.data(), out.data(), first, n, key, kThreshold);
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t element = first + i;
        const std::uint64_t run = element / 16 % 8;
        const std::uint32_t word = stream.block(element / 128 * 16 + element % 16)[run / 2];
        const std::uint32_t half = run % 2 == 0 ? word & 0xffff : word >> 16;
        EXPECT_EQ(out[i], half >= kThreshold ? in[i] * (65536.0F / (65536 - kThreshold)) : 0) << "element " << element;
      }
      GetParam().kernels->dropout(in.data(), in.data(), first, n, key, kThreshold);
      EXPECT_EQ(in, out) << "in place";
    }
  }
}

TEST_P(PointwiseTest, ScatterAddsWhatGatherWouldRead) {
  constexpr std::size_t kWidth = 32;
  std::vector<float> table(5 * kWidth);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i);
  const std::vector<std::int32_t> tokens{4, 0, 4, 2};
  std::vector<float> rows(tokens.size() * kWidth);
  GetParam().kernels->gather(table.data(), kWidth, tokens.data(), tokens.size(), rows.data(), kWidth, kWidth);
  for (std::size_t r = 0; r < tokens.size(); ++r)
    for (std::size_t j = 0; j < kWidth; ++j)
      EXPECT_EQ(rows[r * kWidth + j], static_cast<float>(static_cast<std::size_t>(tokens[r]) * kWidth + j));
  std::vector<float> sums(5 * kWidth);
  GetParam().kernels->scatter_add(sums.data(), kWidth, tokens.data(), tokens.size(), rows.data(), kWidth, kWidth);
  for (std::size_t v = 0; v < 5; ++v)
    for (std::size_t j = 0; j < kWidth; ++j) {
      const auto times = static_cast<float>(std::ranges::count(tokens, static_cast<std::int32_t>(v)));
      EXPECT_EQ(sums[v * kWidth + j], times * table[v * kWidth + j]);
    }
}

TEST_P(PointwiseTest, AnAverageMovesByItsShare) {
  for (const std::size_t n : {0, 1, 15, 16, 17, 4099}) {
    const RandomStream random(n, RandomPurpose::shuffle);
    std::vector<float> values(n), average(n), expected(n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = random.uniform(2 * i);
      average[i] = random.uniform(2 * i + 1);
      expected[i] = static_cast<float>(0.75 * static_cast<double>(average[i]) + 0.25 * static_cast<double>(values[i]));
    }
    GetParam().kernels->move_average(0.25F, values.data(), average.data(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(average[i], expected[i], 1e-7);
  }
}

TEST_P(PointwiseTest, SumOfSquaresIsExactInDouble) {
  for (const std::size_t n : {0, 1, 15, 16, 17, 4096, 4099}) {
    const RandomStream random(n, RandomPurpose::shuffle);
    std::vector<float> values(n);
    double expected = 0;
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = random.uniform(i);
      expected += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    EXPECT_NEAR(GetParam().kernels->sum_of_squares(values.data(), n), expected, 1e-12 * (1 + expected));
  }
}

}  // namespace
}  // namespace rune::kernels
