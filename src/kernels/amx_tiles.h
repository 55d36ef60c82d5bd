#pragma once

#include <immintrin.h>

#include "kernels/bf16_dot.h"
#include "kernels/instruction_sets.h"
#include "kernels/multiply.h"

/// Intel's matrix extensions (AMX): registers of 16 rows by 64 bytes, and an instruction that multiplies a tile of 16
/// rows by 32 bf16 with a part of a panel, (32, 16) with neighbouring rows in pairs, which is how panels are packed.
namespace rune::kernels {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTileDepth = 32;  // bf16 of a row
constexpr std::size_t kTileBytes = 64;  // of a row

// By assembly: the compiler's intrinsics want the register's number as a literal, and GCC 12 lets stores to what a tile
// is loaded from pass them.
template <int Register>
[[gnu::always_inline]] inline void load_tile(const void* from, std::size_t stride_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride_bytes), "i"(Register) : "memory");
}
template <int Register>
[[gnu::always_inline]] inline void store_tile(void* to) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(kTileBytes), "i"(Register) : "memory");
}
template <int Register>
[[gnu::always_inline]] inline void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(Register));
}
template <int Sums, int A, int B>
[[gnu::always_inline]] inline void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(A), "i"(B));
}

/// All eight registers whole for as long as it lives. The processor keeps them for a thread only meanwhile.
class TileRegisters {
 public:
  TileRegisters() {
    struct alignas(kTileBytes) {
      std::uint8_t palette = 1;
      std::uint8_t start_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t row_bytes[16] = {kTileBytes, kTileBytes, kTileBytes, kTileBytes,
                                     kTileBytes, kTileBytes, kTileBytes, kTileBytes};
      std::uint8_t rows[16] = {kTileRows, kTileRows, kTileRows, kTileRows, kTileRows, kTileRows, kTileRows, kTileRows};
    } static constexpr kShapes;
    asm volatile("ldtilecfg %0" : : "m"(kShapes));
  }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
  ~TileRegisters() { asm volatile("tilerelease" : : : "memory"); }
};

/// Calls function<0>(), function<1>() ...
template <int N, class Function>
[[gnu::always_inline]] inline void times(Function&& function) {
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (function.template operator()<I>(), ...);
  }(std::make_integer_sequence<int, N>{});
}

/// R x P tiles of sums: 16 R rows of A, (.., depth) a_stride apart, by P panels, from zero; left in `sums`, tile by
/// tile.
template <int R, int P>
void sum_tiles(const std::uint16_t* a, std::size_t a_stride, const std::uint16_t* b, std::size_t panel_stride,
               std::size_t depth, float* sums) {
  constexpr int kA = R * P;  // registers: sums, then A's tiles, then those of B, in turn
  constexpr int kB = kA + R;
  constexpr int kTurns = P < 8 - kB ? P : 8 - kB;
  times<R * P>([]<int I>() { zero_tile<I>(); });
  for (std::size_t k = 0; k < depth; k += kTileDepth) {
    times<R>([&]<int I>() { load_tile<kA + I>(a + I * kTileRows * a_stride + k, a_stride * sizeof *a); });
    times<P>([&]<int J>() {
      load_tile<kB + J % kTurns>(b + J * panel_stride + k * kPanel, kTileBytes);
      times<R>([&]<int I>() { multiply_tiles<I * P + J, kA + I, kB + J % kTurns>(); });
    });
  }
  times<R * P>([&]<int I>() { store_tile<I>(sums + I * kTileRows * kPanel); });
}

/// bf16 operands by AMX, which treats denormal numbers as zero, and in pairs by AVX-512 where they are packed.
struct AmxTiles : Bf16Dot {
  using Registers = TileRegisters;
  static constexpr bool kMatrices = true;
  static constexpr std::size_t kDepthMultiple = kTileDepth;
  static constexpr std::size_t kRowMultiple = kTileRows;

  /// An odd number of cache lines, so that a tile's rows do not fall into the same sets of a cache.
  static constexpr std::size_t row_stride(std::size_t depth) {
    return depth / kTileDepth % 2 == 0 ? depth + kTileDepth : depth;
  }

  static void multiply(const MatrixProduct<Element>& product) {
    ColumnWalk columns(product.columns);
    for (std::size_t panel = 0; panel < product.panels;) {
      // Two row tiles by two panels; what has one row tile alone, a text that is written, by up to four panels.
      const std::size_t most = product.rows > kTileRows ? 2 : 4;
      const std::size_t panels = product.panels - panel < most ? product.panels - panel : most;
      std::size_t column[4];
      for (std::size_t p = 0; p < panels; ++p, columns.next()) column[p] = columns.at;
      const Element* const b = product.b + panel * product.panel_stride;
      for (std::size_t row = 0; row < product.rows;) {
        const std::size_t tall = product.rows - row > kTileRows ? 2 : 1;
        alignas(kTileBytes) float sums[4 * kTileRows * kPanel];
        kSums[tall - 1][panels - 1](product.a + row * product.a_stride, product.a_stride, b, product.panel_stride,
                                    product.depth, sums);
        const std::size_t end = row + tall * kTileRows < product.rows ? row + tall * kTileRows : product.rows;
        for (std::size_t r = row; r < end; ++r) {
          if (product.c[r] == nullptr) continue;
          const std::size_t tile = (r - row) / kTileRows * panels;
          for (std::size_t p = 0; p < panels; ++p)
            finish(product, column[p], sums + ((tile + p) * kTileRows + r % kTileRows) * kPanel, product.c[r]);
        }
        row = end;
      }
      panel += panels;
    }
  }

  /// Six chains, more than the four that hide the latency of an instruction. It takes sixteen times as long as one of
  /// vectors, so a repetition is a sixteenth.
  static constexpr std::size_t kChainTiles = 6;
  static constexpr std::size_t kMultiplyAddsPerRepetition = kChainTiles * kTileDepth * kPanel;
  static float multiply_add_chains(std::size_t n) {
    const TileRegisters registers;
    alignas(kTileBytes) Element factors[kTileRows * kTileDepth] = {};
    for (std::size_t i = 0; i < kTileRows * kTileDepth; ++i) {
      const float value = 1 / static_cast<float>(n + i + 2);
      convert(&value, 1, factors + i);
    }
    load_tile<6>(factors, kTileBytes);
    load_tile<7>(factors, kTileBytes);
    times<kChainTiles>([]<int I>() { zero_tile<I>(); });
    for (std::size_t k = 0; k < n; k += kTileRows) times<kChainTiles>([]<int I>() { multiply_tiles<I, 6, 7>(); });
    alignas(kTileBytes) float sums[kTileRows * kPanel];
    store_tile<0>(sums);
    return sums[0];
  }

 private:
  using SumTiles = decltype(&sum_tiles<1, 1>);
  static constexpr SumTiles kSums[2][4] = {{sum_tiles<1, 1>, sum_tiles<1, 2>, sum_tiles<1, 3>, sum_tiles<1, 4>},
                                           {sum_tiles<2, 1>, sum_tiles<2, 2>}};

  /// c = start + sums, 16 columns or as many as there are.
  static void finish(const MatrixProduct<Element>& product, std::size_t column, const float* sums, float* c) {
    const std::size_t left = product.width - column;
    const auto real = static_cast<__mmask16>(left >= kPanel ? 0xffffU : (1U << left) - 1);
    __m512 sum = _mm512_load_ps(sums);
    if (product.start == Start::bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(real, product.bias + column));
    if (product.start == Start::add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(real, c + column));
    _mm512_mask_storeu_ps(c + column, real, sum);
  }
};

/// Tiles of AMX; everything beside the products is AVX-512's.
struct Amx : Avx512 {
  static constexpr Isa kIsa = Isa::amx;
};

}  // namespace
}  // namespace rune::kernels
