#include "kernels/all_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <rune/error.h>

#include "kernels/instruction_sets.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

constexpr Kernels kEmulatedAvx512 = make_kernels<Avx512>(nullptr);
constexpr Kernels kEmulatedNeon = make_kernels<Neon>(nullptr);
constexpr Kernels kEmulatedBf16 = make_kernels<Avx512, Bf16Operand<16>>(nullptr);

}  // namespace

std::vector<NamedKernels> all_kernels() {
  std::vector<NamedKernels> all;
  for (const Kernels* kernels : available_kernels())
    all.push_back(
        {std::string(to_string(kernels->isa)) + (kernels->precision == Precision::bf16 ? "_bf16" : ""), kernels});
  all.push_back({"emulated_avx512", &kEmulatedAvx512});
  all.push_back({"emulated_neon", &kEmulatedNeon});
  all.push_back({"emulated_bf16", &kEmulatedBf16});
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
  const Kernels& best = kernels(Precision::automatic);
  EXPECT_EQ(best.isa, kernels().isa);
  if (best.precision == Precision::bf16) {
    EXPECT_EQ(&kernels(Precision::bf16), &best);
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
