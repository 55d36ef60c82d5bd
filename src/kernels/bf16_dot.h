#pragma once

#include <immintrin.h>

#include "kernels/operand.h"

namespace rune::kernels {
namespace {

/// bfloat16 operands by AVX-512's dot product, which treats denormal numbers as zero.
struct Bf16Dot : Bf16Operand<16> {
  [[gnu::always_inline]] static Bits column(const Element* b) { return (Bits)_mm512_loadu_si512(b); }
  [[gnu::always_inline]] static Vec<16> multiply_add(Vec<16> acc, Bits a, Bits b) {
#ifdef __clang__
    asm("" : "+v"(a));  // hides that it is a broadcast, over which clang 16 recurses without end
#endif
    return (Vec<16>)_mm512_dpbf16_ps((__m512)acc, (__m512bh)a, (__m512bh)b);
  }
  [[gnu::always_inline]] static __m256i rounded(const float* in) {
    return (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(in));
  }
  [[gnu::always_inline]] static void interleave(const float* const* rows, Element* out) {
    const __m512i even = _mm512_cvtepu16_epi32(rounded(rows[0]));
    const __m512i odd = _mm512_cvtepu16_epi32(rounded(rows[1]));
    _mm512_storeu_si512(out, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
  }
  static void convert(const float* in, std::size_t n, Element* out) {
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), rounded(in + i));
    if (i == n) return;
    const __mmask16 rest = static_cast<__mmask16>((1U << (n - i)) - 1);
    _mm256_mask_storeu_epi16(out + i, rest, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, in + i)));
  }
};

}  // namespace
}  // namespace rune::kernels
