#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/isa.h"

namespace rune::kernels {

namespace {

/// Linux saves the registers of AMX only for processes that asked for them (ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
/// cpuid itself: clang 16 does not know the name.
bool has_amx() {
#ifdef __linux__
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kBf16AndTiles = 1U << 22 | 1U << 24;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kBf16AndTiles) != kBf16AndTiles) return false;
  return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
  return false;
#endif
}

}  // namespace

std::span<const Kernels* const> detect_kernels() {
  static const Kernels* found[6];
  static const std::size_t kCount = [] {
    std::size_t n = 0;
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                        __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16") != 0;
    if (bf16 && has_amx()) found[n++] = &kAmxBf16;
    // Intel's dot product of bf16 takes twice as long as two multiply-adds of floats, AMD's half as long.
    const bool slow_dot = __builtin_cpu_is("intel") != 0;
    if (bf16 && !slow_dot) found[n++] = &kAvx512Bf16;
    if (avx512) found[n++] = &kAvx512;
    if (bf16 && slow_dot) found[n++] = &kAvx512Bf16;
    if (avx2) found[n++] = &kAvx2;
#ifdef RUNE_ROUNDED_BF16
    if (avx2) found[n++] = &kAvx2Rounded;
#endif
    found[n++] = &kBaseline;
    return n;
  }();
  return {found, kCount};
}

}  // namespace rune::kernels
