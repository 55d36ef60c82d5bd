#include "kernels/all_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include <rune/error.h>

#include "kernels/instruction_sets.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

constexpr Kernels kEmulatedAvx512 = make_kernels<Avx512>(nullptr);
constexpr Kernels kEmulatedNeon = make_kernels<Neon>(nullptr);
constexpr Kernels kEmulatedBf16 = make_kernels<Avx512, Bf16Operand<16>>(nullptr);
constexpr Kernels kRoundedBf16 = make_kernels<Avx2, RoundedOperand<8>>(nullptr);

/// What multiplies whole matrices, as AMX does, by the definition: rows, depths and strides are those of AMX.
struct EmulatedMatrices : Bf16Operand<16> {
  static constexpr bool kMatrices = true;
  static constexpr std::size_t kDepthMultiple = 32;
  static constexpr std::size_t kRowMultiple = 16;
  static constexpr std::size_t row_stride(std::size_t depth) { return depth / 32 % 2 == 0 ? depth + 32 : depth; }

  static float value(Element bits) {
    const std::uint32_t word = std::uint32_t{bits} << 16;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
  static void multiply(const MatrixProduct<Element>& product) {
    ColumnWalk columns(product.columns);
    for (std::size_t panel = 0; panel < product.panels; ++panel, columns.next())
      for (std::size_t r = 0; r < product.rows; ++r)
        for (std::size_t j = 0; j < kPanel && product.c[r] != nullptr && columns.at + j < product.width; ++j) {
          float sum = 0;
          for (std::size_t k = 0; k < product.depth; ++k)
            sum += value(product.a[r * product.a_stride + k]) *
                   value(product.b[panel * product.panel_stride + k / 2 * 2 * kPanel + 2 * j + k % 2]);
          float& c = product.c[r][columns.at + j];
          const float start = product.start == Start::bias  ? product.bias[columns.at + j]
                              : product.start == Start::add ? c
                                                            : 0.0F;
          c = start + sum;
        }
  }
  static constexpr std::size_t kMultiplyAddsPerRepetition = 1;
  static float multiply_add_chains(std::size_t n) { return static_cast<float>(n); }
};
constexpr Kernels kEmulatedMatrices = make_kernels<Avx512, EmulatedMatrices>(nullptr);

}  // namespace

std::vector<NamedKernels> all_kernels() {
  std::vector<NamedKernels> all;
  for (const Kernels* kernels : available_kernels())
    all.push_back(
        {std::string(to_string(kernels->isa)) + (kernels->precision == Precision::bf16 ? "_bf16" : ""), kernels});
  all.push_back({"emulated_avx512", &kEmulatedAvx512});
  all.push_back({"emulated_neon", &kEmulatedNeon});
  all.push_back({"emulated_bf16", &kEmulatedBf16});
  all.push_back({"emulated_matrices", &kEmulatedMatrices});
  all.push_back({"rounded_bf16", &kRoundedBf16});
  return all;
}

// Tests are compiled without fused multiply-adds, so what is emulated is canonical.
std::vector<NamedKernels> all_canonical_kernels() {
  std::vector<NamedKernels> all = all_kernels();
  std::erase_if(all, [](const NamedKernels& named) { return named.kernels->precision != Precision::f32; });
  for (NamedKernels& named : all)
    if (named.kernels->canonical != nullptr) named.kernels = named.kernels->canonical;
  return all;
}

namespace {

TEST(KernelsTest, TheBestAvailableOnesAreChosen) {
  const auto available = available_kernels();
  ASSERT_FALSE(available.empty());
  EXPECT_TRUE(std::ranges::find(available, &kernels()) != available.end());
  EXPECT_EQ(kernels().precision, Precision::f32);
}

TEST(KernelsTest, Bf16IsRefusedWhereItCannotBeMultiplied) {
  EXPECT_EQ(&kernels(Precision::f32), &kernels());
  const auto available = available_kernels();
  EXPECT_EQ(&kernels(Precision::automatic), available.front()) << "RUNE_ISA is not set";
  const auto bf16 = std::ranges::find(available, Precision::bf16, &Kernels::precision);
  if (bf16 != available.end()) {
    EXPECT_EQ(&kernels(Precision::bf16), *bf16);
    return;
  }
  try {
    kernels(Precision::bf16);
    FAIL() << "expected an InputError";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("--precision f32"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rune::kernels
