#include "kernels/products.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/matrix.h"
#include "base/random.h"
#include "kernels/all_kernels.h"
#include "kernels/kernels.h"
#include "kernels/packed.h"
#include "support/reference_kernels.h"

namespace rune::kernels {
namespace {

/// Multiples of 1/128 in [-1, 1], which have the same value in bf16.
std::vector<float> random_values(std::size_t n, std::uint64_t seed) {
  const RandomStream stream(seed, RandomPurpose::shuffle);
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = std::round(256 * stream.uniform(i) - 128) / 128;
  return values;
}

test::Vector doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

/// Sums of `depth` products of numbers in [-1, 1], each rounded once.
double tolerance(std::size_t depth) { return 1e-7 * (1 + static_cast<double>(depth)); }

std::vector<std::int32_t> identity_rows(std::size_t n) {
  std::vector<std::int32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Every instruction set that runs here.
class ProductTest : public testing::TestWithParam<NamedKernels> {};
INSTANTIATE_TEST_SUITE_P(All, ProductTest, testing::ValuesIn(all_kernels()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(ProductTest, ProductAgreesWithTheDefinition) {
  for (const std::size_t rows : {1, 2, 3, 5, 6, 7, 13, 64, 97, 200}) {
    for (const std::size_t depth : {1, 2, 17, 256, 257, 600}) {
      for (const std::size_t panels : {1, 2, 3, 5}) {
        const std::size_t columns = panels * kPanel;
        const std::vector<float> a = random_values(rows * depth, 1);
        const std::vector<float> weights = random_values(columns * depth, 2);  // (columns, depth)
        const std::vector<float> bias = random_values(columns, 3);
        PackedMatrix packed(*GetParam().kernels, depth, panels);
        packed.pack_transposed(weights.data(), depth, identity_rows(columns), 0, panels);
        std::vector<float> c(rows * columns, 7);
        GetParam().kernels->multiply({.a = plain_rows(a.data(), depth),
                                      .rows = rows,
                                      .group_depth = depth,
                                      .b = packed.from(0),
                                      .panels = panels,
                                      .c = plain_rows(c.data(), columns),
                                      .start = Start::bias,
                                      .bias = bias.data()});
        test::Vector b(depth * columns);
        for (std::size_t k = 0; k < depth; ++k)
          for (std::size_t j = 0; j < columns; ++j) b[k * columns + j] = static_cast<double>(weights[j * depth + k]);
        test::Vector start;
        for (std::size_t i = 0; i < rows; ++i) start.insert(start.end(), bias.begin(), bias.end());
        const test::Vector expected = test::reference_product(doubles(a), b, start, rows, depth, columns);
        double worst = 0;
        for (std::size_t i = 0; i < c.size(); ++i)
          worst = std::max(worst, std::abs(static_cast<double>(c[i]) - expected[i]));
        ASSERT_LE(worst, tolerance(depth)) << rows << " x " << depth << " x " << columns;
      }
    }
  }
}

// A GRU's depth: runs of 48 columns, 64 apart, over more than one pass; its result stands in slots 1..3 of 4.
TEST_P(ProductTest, GroupedDepthAndColumnsAreFollowed) {
  constexpr std::size_t kRows = 9;
  constexpr std::size_t kGroups = 14;
  constexpr std::size_t kRun = 3 * kPanel;
  constexpr std::size_t kDepth = kGroups * kRun;
  constexpr std::size_t kStride = kGroups * 4 * kPanel;
  constexpr std::size_t kPanels = 6;
  const std::vector<float> a = random_values(kRows * kStride, 4);
  const std::vector<float> b = random_values(kDepth * kPanels * kPanel, 5);  // (depth, columns)
  PackedMatrix packed(*GetParam().kernels, kDepth, kPanels);
  packed.pack_rows(b.data(), kPanels * kPanel, identity_rows(kDepth), 0, kPanels);
  constexpr std::size_t kOut = kPanels / 3 * 4 * kPanel;
  std::vector<float> c(kRows * kOut, 0.5F);
  Product product{.a = plain_rows(a.data() + kPanel, kStride),
                  .rows = kRows,
                  .group_depth = kRun,
                  .groups = kGroups,
                  .group_stride = 4 * kPanel,
                  .b = packed.from(0),
                  .panels = kPanels,
                  .c = plain_rows(c.data(), kOut),
                  .columns = {3, 4 * kPanel, kPanel},
                  .start = Start::add};
  GetParam().kernels->multiply(product);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t column = 0; column < kOut; ++column) {
      double expected = 0.5;
      if (column % (4 * kPanel) >= kPanel) {
        const std::size_t j = column / (4 * kPanel) * kRun + column % (4 * kPanel) - kPanel;
        for (std::size_t k = 0; k < kDepth; ++k)
          expected += static_cast<double>(a[r * kStride + kPanel + k / kRun * 4 * kPanel + k % kRun]) *
                      static_cast<double>(b[k * kPanels * kPanel + j]);
      }
      ASSERT_NEAR(c[r * kOut + column], expected, tolerance(kDepth)) << "row " << r << ", column " << column;
    }
  }
}

TEST_P(ProductTest, TheBitsOfARowDoNotDependOnTheOthers) {
  constexpr std::size_t kRows = 101;
  constexpr std::size_t kDepth = 300;
  constexpr std::size_t kPanels = 7;
  const std::vector<float> a = random_values(kRows * kDepth, 6);
  const std::vector<float> weights = random_values(kPanels * kPanel * kDepth, 7);
  PackedMatrix packed(*GetParam().kernels, kDepth, kPanels);
  packed.pack_transposed(weights.data(), kDepth, identity_rows(kPanels * kPanel), 0, kPanels);
  const auto rows_from = [&](std::size_t first, std::size_t count) {
    std::vector<float> c(count * kPanels * kPanel);
    GetParam().kernels->multiply({.a = plain_rows(a.data() + first * kDepth, kDepth),
                                  .rows = count,
                                  .group_depth = kDepth,
                                  .b = packed.from(0),
                                  .panels = kPanels,
                                  .c = plain_rows(c.data(), kPanels * kPanel)});
    return c;
  };
  const std::vector<float> all = rows_from(0, kRows);
  for (std::size_t first = 0; first < kRows; first += 9)
    for (std::size_t count = 1; count <= 9 && first + count <= kRows; ++count) {
      const std::vector<float> some = rows_from(first, count);
      ASSERT_TRUE(
          std::equal(some.begin(), some.end(), all.begin() + static_cast<std::ptrdiff_t>(first * kPanels * kPanel)))
          << count << " rows from " << first;
    }
}

// Rows of one thread's streams: runs of 3 in steps of 10.
TEST_P(ProductTest, RowsOfManyStepsAreFound) {
  constexpr std::size_t kDepth = 20;
  constexpr std::size_t kStep = 10;
  constexpr std::size_t kRun = 3;
  constexpr std::size_t kSteps = 40;
  const std::vector<float> a = random_values(kSteps * kStep * kDepth, 8);
  const std::vector<float> weights = random_values(kPanel * kDepth, 9);
  PackedMatrix packed(*GetParam().kernels, kDepth, 1);
  packed.pack_transposed(weights.data(), kDepth, identity_rows(kPanel), 0, 1);
  std::vector<float> c(kSteps * kStep * kPanel, -1);
  GetParam().kernels->multiply({.a = {a.data() + 2 * kDepth, kDepth, kRun, kStep * kDepth},
                                .rows = kSteps * kRun,
                                .group_depth = kDepth,
                                .b = packed.from(0),
                                .panels = 1,
                                .c = {c.data() + 2 * kPanel, kPanel, kRun, kStep * kPanel}});
  for (std::size_t row = 0; row < kSteps * kStep; ++row)
    for (std::size_t j = 0; j < kPanel; ++j) {
      double expected = -1;
      if (row % kStep >= 2 && row % kStep < 2 + kRun) {
        expected = 0;
        for (std::size_t k = 0; k < kDepth; ++k)
          expected += static_cast<double>(a[row * kDepth + k]) * static_cast<double>(weights[j * kDepth + k]);
      }
      ASSERT_NEAR(c[row * kPanel + j], expected, tolerance(kDepth)) << "row " << row;
    }
}

TEST_P(ProductTest, OuterProductAgreesWithTheDefinition) {
  for (const std::size_t rows : {1, 5, 256, 300, 700}) {
    for (const std::size_t columns : {1, 16, 33, 83, 160}) {
      for (const std::size_t units : {3, 16, 20, 150}) {
        const std::size_t d_stride = round_up(units, kPanel) + kPanel;
        const std::vector<float> d = random_values(rows * d_stride, 10);
        const std::vector<float> x = random_values(rows * (columns + 3), 11);
        std::vector<OuterBlock> blocks;
        for (std::size_t u = 0; u < units; u += kPanel) blocks.push_back({u + kPanel, u, std::min(kPanel, units - u)});
        std::vector<float> c(units * columns, 2);
        std::vector<float> sums(units, 2);
        std::vector<float> scratch(outer_scratch_size(columns));
        OuterProduct outer{.d = d.data(),
                           .d_stride = d_stride,
                           .x = x.data(),
                           .x_stride = columns + 3,
                           .rows = rows,
                           .columns = columns,
                           .c = c.data(),
                           .column_sums = sums.data()};
        GetParam().kernels->outer_product(outer, blocks, scratch.data());
        const std::vector<float> once = c;
        outer.add = true;
        GetParam().kernels->outer_product(outer, blocks, scratch.data());
        for (std::size_t m = 0; m < units; ++m) {
          double sum = 0;
          for (std::size_t r = 0; r < rows; ++r) sum += static_cast<double>(d[r * d_stride + kPanel + m]);
          ASSERT_NEAR(sums[m], 2 * sum, tolerance(rows));
          for (std::size_t n = 0; n < columns; ++n) {
            double expected = 0;
            for (std::size_t r = 0; r < rows; ++r)
              expected +=
                  static_cast<double>(d[r * d_stride + kPanel + m]) * static_cast<double>(x[r * (columns + 3) + n]);
            ASSERT_NEAR(once[m * columns + n], expected, tolerance(rows))
                << rows << " rows, element " << m << ", " << n;
            ASSERT_NEAR(c[m * columns + n], 2 * expected, 2 * tolerance(rows));
          }
        }
      }
    }
  }
}

std::vector<NamedKernels> bf16_kernels() {
  std::vector<NamedKernels> kernels = all_kernels();
  std::erase_if(kernels, [](const NamedKernels& named) { return named.kernels->precision != Precision::bf16; });
  return kernels;
}
class Bf16Test : public testing::TestWithParam<NamedKernels> {};
INSTANTIATE_TEST_SUITE_P(All, Bf16Test, testing::ValuesIn(bf16_kernels()),
                         [](const auto& instance) { return instance.param.name; });

// Halfway between two neighbours goes to the even one, in both factors; NaN and infinity stay.
TEST_P(Bf16Test, FactorsAreRoundedToTheNearest) {
  constexpr float kUlp = 1.0F / 128;  // of bf16 between 1 and 2
  const std::vector<float> values{1 + kUlp / 2,  1 + kUlp / 2 * 1.01F, 1 + 3 * kUlp / 2,
                                  -1 - kUlp / 2, 1 + kUlp * 0.49F,     3e38F,
                                  HUGE_VALF,     std::nanf("")};
  const std::vector<float> rounded{1, 1 + kUlp, 1 + 2 * kUlp, -1, 1, 0x1.c4p+127F, HUGE_VALF, std::nanf("")};
  const std::vector<float> one{1};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto times_one = [&](const float* a, const float* b) {
      PackedMatrix packed(*GetParam().kernels, 1, 1);
      packed.pack_transposed(b, 1, std::vector<std::int32_t>{0}, 0, 1);
      std::vector<float> c(kPanel);
      GetParam().kernels->multiply({.a = plain_rows(a, 1),
                                    .rows = 1,
                                    .group_depth = 1,
                                    .b = packed.from(0),
                                    .panels = 1,
                                    .c = plain_rows(c.data(), kPanel)});
      return c[0];
    };
    for (const float product : {times_one(&values[i], one.data()), times_one(one.data(), &values[i])}) {
      if (std::isnan(rounded[i]))
        EXPECT_TRUE(std::isnan(product));
      else
        EXPECT_EQ(product, rounded[i]) << values[i];
    }
  }
}

// More depth than is converted at a time, whole and in groups.
TEST_P(ProductTest, GreatDepthsAreTakenInSlabs) {
  constexpr std::size_t kRows = 7;
  constexpr std::size_t kRun = 48;
  constexpr std::size_t kGroups = 107;
  constexpr std::size_t kDepth = kRun * kGroups;
  const std::vector<float> a = random_values(kRows * kDepth, 13);
  const std::vector<float> weights = random_values(kPanel * kDepth, 14);
  PackedMatrix packed(*GetParam().kernels, kDepth, 1);
  packed.pack_transposed(weights.data(), kDepth, identity_rows(kPanel), 0, 1);
  std::vector<float> whole(kRows * kPanel, 3);
  std::vector<float> grouped = whole;
  Product product{.a = plain_rows(a.data(), kDepth),
                  .rows = kRows,
                  .group_depth = kDepth,
                  .b = packed.from(0),
                  .panels = 1,
                  .c = plain_rows(whole.data(), kPanel),
                  .start = Start::add};
  GetParam().kernels->multiply(product);
  product.group_depth = product.group_stride = kRun;
  product.groups = kGroups;
  product.c = plain_rows(grouped.data(), kPanel);
  GetParam().kernels->multiply(product);
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t j = 0; j < kPanel; ++j) {
      double expected = 3;
      for (std::size_t k = 0; k < kDepth; ++k)
        expected += static_cast<double>(a[r * kDepth + k]) * static_cast<double>(weights[j * kDepth + k]);
      ASSERT_NEAR(whole[r * kPanel + j], expected, tolerance(kDepth));
    }
  EXPECT_EQ(whole, grouped);
}

TEST(PackedMatrixTest, PaddingIsZero) {
  const auto floats = [](const PackedMatrix& packed) { return reinterpret_cast<const float*>(packed.from(0).data); };
  const std::vector<float> weights = random_values(3 * 5, 12);
  PackedMatrix transposed(kernels(), 5, 1);
  transposed.pack_transposed(weights.data(), 5, std::vector<std::int32_t>{1, 2, -1}, 0, 1);
  for (std::size_t k = 0; k < 5; ++k)
    for (std::size_t j = 0; j < kPanel; ++j)
      EXPECT_EQ(floats(transposed)[k * kPanel + j], j < 2 ? weights[(j + 1) * 5 + k] : 0.0F);
  PackedMatrix rows(kernels(), 3, 1);
  rows.pack_rows(weights.data(), 5, std::vector<std::int32_t>{1, -1, 2}, 0, 1);
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t j = 0; j < kPanel; ++j)
      EXPECT_EQ(floats(rows)[k * kPanel + j], j >= 5 || k == 1 ? 0.0F : weights[(k == 0 ? 1 : 2) * 5 + j]);
}

}  // namespace
}  // namespace rune::kernels
