#include "kernels/all_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/instruction_sets.h"
#include "kernels/table.h"

namespace rune::kernels {
namespace {

constexpr Kernels kEmulatedAvx512 = make_kernels<Avx512>();
constexpr Kernels kEmulatedNeon = make_kernels<Neon>();

}  // namespace

std::vector<NamedKernels> all_kernels() {
  std::vector<NamedKernels> all;
  for (const Kernels* kernels : available_kernels()) all.push_back({std::string(to_string(kernels->isa)), kernels});
  all.push_back({"emulated_avx512", &kEmulatedAvx512});
  all.push_back({"emulated_neon", &kEmulatedNeon});
  return all;
}

namespace {

TEST(KernelsTest, TheBestAvailableOnesAreChosen) {
  const auto available = available_kernels();
  ASSERT_FALSE(available.empty());
  EXPECT_TRUE(std::ranges::find(available, &kernels()) != available.end());
}

}  // namespace
}  // namespace rune::kernels
