#pragma once

#include "kernels/vector.h"

/// What the matrix products multiply: how a panel interleaves its rows, how a row of A is read, and how both are
/// multiplied into float accumulators.
///
/// An operand with kMatrices multiplies whole matrices instead of tiles of vectors (MatrixProduct in multiply.h).
///
/// A column vector holds kDepth neighbouring rows of a panel, lane by lane; a row vector the same kDepth elements of a
/// row of A in every lane.
namespace rune::kernels {
namespace {

/// Stands on the stack while an operand is multiplied. One that needs more than vectors has its own.
struct NoRegisters {};

/// Floats, by fused multiply-adds where there are any.
template <int W>
struct FloatOperand {
  using Element = float;
  using Registers = NoRegisters;
  static constexpr Precision kPrecision = Precision::f32;
  static constexpr std::size_t kDepth = 1;
  static constexpr bool kConverts = false;  // A's rows are read where they stand
  static constexpr bool kMatrices = false;
  static constexpr std::size_t kDepthMultiple = kDepth;
  static constexpr std::size_t kRowMultiple = 1;
  static constexpr std::size_t row_stride(std::size_t depth) { return depth; }

  [[gnu::always_inline]] static Vec<W> column(const float* b) { return load<W>(b); }
  [[gnu::always_inline]] static Vec<W> row(const float* a) { return splat<W>(*a); }
  [[gnu::always_inline]] static Vec<W> multiply_add(Vec<W> acc, Vec<W> a, Vec<W> b) { return acc + a * b; }
  /// 16 columns of kDepth rows, interleaved.
  [[gnu::always_inline]] static void interleave(const float* const* rows, float* out) {
    for (std::size_t j = 0; j < kPanel; j += W) store<W>(out + j, load<W>(rows[0] + j));
  }
  static void convert(const float* in, std::size_t n, float* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = in[i];
  }
};

/// bfloat16 operands, two at a time, by the compiler's vectors: any instruction set can run it, slowly. An instruction
/// set that multiplies them has its own multiply_add and convert. Both round to the nearest, ties to even.
template <int W>
struct Bf16Operand {
  using Element = std::uint16_t;
  using Registers = NoRegisters;
  using Bits = typename VectorOf<W>::Bits;
  static constexpr Precision kPrecision = Precision::bf16;
  static constexpr std::size_t kDepth = 2;
  static constexpr bool kConverts = true;
  static constexpr bool kMatrices = false;
  static constexpr std::size_t kDepthMultiple = kDepth;
  static constexpr std::size_t kRowMultiple = 1;
  static constexpr std::size_t row_stride(std::size_t depth) { return depth; }

  [[gnu::always_inline]] static Bits column(const Element* b) {
    Bits bits;
    __builtin_memcpy(&bits, b, sizeof bits);
    return bits;
  }
  [[gnu::always_inline]] static Bits row(const Element* a) {
    std::uint32_t pair;
    __builtin_memcpy(&pair, a, sizeof pair);
    return Bits{} + pair;
  }
  [[gnu::always_inline]] static Vec<W> multiply_add(Vec<W> acc, Bits a, Bits b) {
    const Vec<W> later = (Vec<W>)(a & 0xffff0000U) * (Vec<W>)(b & 0xffff0000U);
    return acc + later + (Vec<W>)(a << 16) * (Vec<W>)(b << 16);
  }
  /// In the low half of each lane. NaN stays NaN.
  [[gnu::always_inline]] static Bits rounded(Vec<W> x) {
    const Bits bits = (Bits)x;
    const Bits nearest = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    return x == x ? nearest : ((bits >> 16) | 0x40U);
  }
  [[gnu::always_inline]] static void interleave(const float* const* rows, Element* out) {
    for (std::size_t j = 0; j < kPanel; j += W) {
      // By memcpy: what is read as floats or bf16 must not be written as integers.
      const Bits pairs = rounded(load<W>(rows[0] + j)) | rounded(load<W>(rows[1] + j)) << 16;
      __builtin_memcpy(out + 2 * j, &pairs, sizeof pairs);
    }
  }
  static void convert(const float* in, std::size_t n, Element* out) {
    std::size_t i = 0;
    for (; i + W <= n; i += W) {
      const Bits bits = rounded(load<W>(in + i));
      for (int lane = 0; lane < W; ++lane) out[i + static_cast<std::size_t>(lane)] = static_cast<Element>(bits[lane]);
    }
    for (; i < n; ++i) out[i] = static_cast<Element>(rounded(splat<W>(in[i]))[0]);
  }
};

/// The factors of bf16 as floats: rounded to 8 bits, so that their products are exact and the sums differ from a
/// processor's by the order of additions, and by denormals, which it takes for zero. As slow as floats: to measure what
/// rounding costs a training where no processor multiplies bf16 (RUNE_ROUNDED_BF16 in CMakeLists.txt).
template <int W>
struct RoundedOperand : FloatOperand<W> {
  static constexpr Precision kPrecision = Precision::bf16;
  static constexpr bool kConverts = true;

  [[gnu::always_inline]] static Vec<W> rounded(Vec<W> x) { return (Vec<W>)(Bf16Operand<W>::rounded(x) << 16); }
  [[gnu::always_inline]] static void interleave(const float* const* rows, float* out) {
    for (std::size_t j = 0; j < kPanel; j += W) store<W>(out + j, rounded(load<W>(rows[0] + j)));
  }
  static void convert(const float* in, std::size_t n, float* out) {
    std::size_t i = 0;
    for (; i + W <= n; i += W) store<W>(out + i, rounded(load<W>(in + i)));
    for (; i < n; ++i) out[i] = rounded(splat<W>(in[i]))[0];
  }
};

}  // namespace
}  // namespace rune::kernels
