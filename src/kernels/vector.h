#pragma once

#include <cstdint>

#include "kernels/kernels.h"

/// Vectors of W floats by the compiler's extensions, and the few functions that cells and softmax need.
///
/// The kernel headers are included by the isa_*.cpp files alone, each compiled for another instruction set; everything
/// stands in an unnamed namespace, so that the linker can never merge code of one instruction set into another's.
namespace rune::kernels {
namespace {

template <int W>
struct VectorOf {
  using Float [[gnu::vector_size(W * 4)]] = float;
  using FloatUnaligned [[gnu::vector_size(W * 4), gnu::aligned(4)]] = float;
  using Int [[gnu::vector_size(W * 4)]] = std::int32_t;
  using Bits [[gnu::vector_size(W * 4)]] = std::uint32_t;
  // For integer products: W / 2 lanes of 64 bits, and the same number of 32.
  using Wide [[gnu::vector_size(W * 4)]] = std::uint64_t;
  using Narrow [[gnu::vector_size(W * 2), gnu::aligned(4)]] = std::uint32_t;
};
template <int W>
using Vec = typename VectorOf<W>::Float;
template <int W>
using IntVec = typename VectorOf<W>::Int;

template <int W>
[[gnu::always_inline]] inline Vec<W> load(const float* p) {
  return *reinterpret_cast<const typename VectorOf<W>::FloatUnaligned*>(p);
}
template <int W>
[[gnu::always_inline]] inline void store(float* p, Vec<W> v) {
  *reinterpret_cast<typename VectorOf<W>::FloatUnaligned*>(p) = v;
}
template <int W>
[[gnu::always_inline]] inline Vec<W> splat(float x) {
  return x - Vec<W>{};  // not {} + x: that would turn -0 into 0 and cost an addition
}
template <int W>
[[gnu::always_inline]] inline Vec<W> max(Vec<W> a, Vec<W> b) {
  return a > b ? a : b;
}
template <int W>
[[gnu::always_inline]] inline Vec<W> abs(Vec<W> x) {
  return (Vec<W>)((IntVec<W>)x & 0x7fffffff);
}
/// In lane order, so that the sum depends on W alone.
template <int W>
[[gnu::always_inline]] inline double sum(Vec<W> v) {
  double total = 0;
  for (int i = 0; i < W; ++i) total += static_cast<double>(v[i]);
  return total;
}
template <int W>
[[gnu::always_inline]] inline float max_lane(Vec<W> v) {
  float m = v[0];
  for (int i = 1; i < W; ++i) m = v[i] > m ? v[i] : m;
  return m;
}

/// e^x to 1 ulp; exactly 0 below -87.3, infinity above 88.7; NaN stays NaN. Range reduction x = n ln2 + r, |r| <=
/// ln2/2, degree-6 polynomial.
template <int W>
[[gnu::always_inline]] inline Vec<W> exp(Vec<W> x) {
  using F = Vec<W>;
  using I = IntVec<W>;
  const F high = splat<W>(88.72283F);
  const F low = splat<W>(-87.33654F);
  F clamped = x > high ? high : x;  // NaN passes both comparisons
  clamped = clamped < low ? low : clamped;
  const F rounder = splat<W>(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const F shifted = clamped * 1.44269504F + rounder;
  const F n = shifted - rounder;
  F r = clamped - n * 0.693145752F;
  r = r - n * 1.42860677e-6F;
  F p = splat<W>(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r;
  p = p + 1.0F;
  // Scaled by 2^n in two halves: n reaches 128, one more than an exponent can say.
  const I whole = (I)shifted - 0x4b400000;
  const I half = whole >> 1;
  const F scale1 = (F)((half + 127) << 23);
  const F scale2 = (F)((whole - half + 127) << 23);
  p = p * scale1 * scale2;
  p = x < low ? F{} : p;
  return x > high ? splat<W>(__builtin_inff()) : p;
}

/// 1 / (1 + e^-x)
template <int W>
[[gnu::always_inline]] inline Vec<W> sigmoid(Vec<W> x) {
  return 1.0F / (1.0F + exp<W>(-x));
}

/// tanh to about 2 ulp: an odd polynomial for |x| < 0.625, else 1 - 2 / (e^2|x| + 1) with the sign of x.
template <int W>
[[gnu::always_inline]] inline Vec<W> tanh(Vec<W> x) {
  using F = Vec<W>;
  const F magnitude = abs<W>(x);
  const F square = x * x;
  F p = splat<W>(-5.70498872745e-3F);
  p = p * square + 2.06390887954e-2F;
  p = p * square - 5.37397155531e-2F;
  p = p * square + 1.33314422036e-1F;
  p = p * square - 3.33332819422e-1F;
  const F small = p * square * x + x;
  const F large = 1.0F - 2.0F / (exp<W>(magnitude + magnitude) + 1.0F);
  const F signed_large = (F)((IntVec<W>)large | ((IntVec<W>)x & static_cast<std::int32_t>(0x80000000)));
  return magnitude < 0.625F ? small : signed_large;
}

}  // namespace
}  // namespace rune::kernels
