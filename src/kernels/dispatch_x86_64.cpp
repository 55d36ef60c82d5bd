#include "kernels/isa.h"

namespace rune::kernels {

std::span<const Kernels* const> detect_kernels() {
  static const Kernels* found[4];
  static const std::size_t kCount = [] {
    std::size_t n = 0;
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    if (avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
        __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0)
      found[n++] = &kAvx512;
    if (n > 0 && __builtin_cpu_supports("avx512bf16") != 0) found[n++] = &kAvx512Bf16;
    if (avx2) found[n++] = &kAvx2;
    found[n++] = &kBaseline;
    return n;
  }();
  return {found, kCount};
}

}  // namespace rune::kernels
