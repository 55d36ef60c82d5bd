#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/isa.h"

namespace rune::kernels {

namespace {

/// Linux saves the registers of AMX only for processes that asked for them (ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
bool may_use_amx() {
#ifdef __linux__
  return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
  return false;
#endif
}

}  // namespace

std::span<const Kernels* const> detect_kernels() {
  static const Kernels* found[5];
  static const std::size_t kCount = [] {
    std::size_t n = 0;
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                        __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16") != 0;
    if (bf16 && __builtin_cpu_supports("amx-bf16") != 0 && may_use_amx()) found[n++] = &kAmxBf16;
    // Intel's dot product of bf16 takes twice as long as two multiply-adds of floats, AMD's half as long.
    const bool slow_dot = __builtin_cpu_is("intel") != 0;
    if (bf16 && !slow_dot) found[n++] = &kAvx512Bf16;
    if (avx512) found[n++] = &kAvx512;
    if (bf16 && slow_dot) found[n++] = &kAvx512Bf16;
    if (avx2) found[n++] = &kAvx2;
    found[n++] = &kBaseline;
    return n;
  }();
  return {found, kCount};
}

}  // namespace rune::kernels
