#pragma once

#include <utility>

#include "kernels/vector.h"

/// The one matrix product of the program: register tiles over packed panels of 16 columns.
/// The templates' parameter Isa is one of instruction_sets.h.
namespace rune::kernels {
namespace {

// Depth of one pass over a panel: 256 x 16 floats = 16 KiB stay in the first-level cache while the row tiles stream
// past it.
constexpr std::size_t kDepthBlock = 256;
// Rows whose addresses are worked out at a time; their operands (96 x 256 floats) stay in the second-level cache.
constexpr std::size_t kRowBlock = 96;
constexpr std::size_t kCacheLine = 64;
// Panels that a tile takes at once, at most.
constexpr int kMaxPanels = 4;

/// How operands of an element type are multiplied into float accumulators: `depth` of them at a time, which is also how
/// a panel interleaves its rows. A 16-bit type with a two-way dot product would have a depth of 2.
template <class Element, int W>
struct Operand;

template <int W>
struct Operand<float, W> {
  static constexpr std::size_t kDepth = 1;
  using Vector = Vec<W>;
  [[gnu::always_inline]] static Vector column(const float* b) { return load<W>(b); }
  [[gnu::always_inline]] static Vector row(const float* a) { return splat<W>(*a); }
  [[gnu::always_inline]] static Vec<W> multiply_add(Vec<W> acc, Vector a, Vector b) { return acc + a * b; }
};

template <class Element>
struct Tile {
  const Element* const* a;  // R rows
  std::size_t group_depth;
  std::size_t groups;
  std::size_t group_skip;  // elements from the end of one group to the start of the next
  const Element* b;        // first panel, at this depth
  std::size_t panel_stride;
  float* const* c;            // R rows
  const std::size_t* column;  // of each panel
  Start start;
  const float* bias;
};

template <class Element, int W, int R, int P>
void multiply_tile(const Tile<Element>& tile) {
  using Op = Operand<Element, W>;
  constexpr int V = static_cast<int>(kPanel) / W;  // vectors of a panel
  Vec<W> acc[R][P][V];
  if (tile.start == Start::add) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) acc[r][p][v] = load<W>(tile.c[r] + tile.column[p] + v * W);
  } else {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) {
        const Vec<W> first = tile.start == Start::bias ? load<W>(tile.bias + tile.column[p] + v * W) : Vec<W>{};
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) acc[r][p][v] = first;
      }
  }
  const Element* a[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) a[r] = tile.a[r];
  const Element* b = tile.b;
  std::size_t k = 0;  // in elements of A's rows
  for (std::size_t group = 0; group < tile.groups; ++group) {
    const std::size_t end = k + tile.group_depth;
#pragma GCC unroll 2
    for (; k < end; k += Op::kDepth, b += Op::kDepth * kPanel) {
      typename Op::Vector column[P][V];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v)
          column[p][v] = Op::column(b + static_cast<std::size_t>(p) * tile.panel_stride +
                                    static_cast<std::size_t>(v) * W * Op::kDepth);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const typename Op::Vector row = Op::row(a[r] + k);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
          for (int v = 0; v < V; ++v) acc[r][p][v] = Op::multiply_add(acc[r][p][v], row, column[p][v]);
      }
    }
    k += tile.group_skip;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) store<W>(tile.c[r] + tile.column[p] + v * W, acc[r][p][v]);
}

/// The tile function for `rows` x `panels`, from a table built at compile time.
template <class Isa, class Element>
struct TileTable {
  using Function = void (*)(const Tile<Element>&);
  Function at[Isa::kMaxRows + 1][kMaxPanels + 1] = {};

  template <int R, int P>
  constexpr void fill() {
    if constexpr (P <= Isa::panels(R)) {
      at[R][P] = multiply_tile<Element, Isa::kWidth, R, P>;
      if constexpr (P < kMaxPanels) fill<R, P + 1>();
    }
    if constexpr (P == 1 && R < Isa::kMaxRows) fill<R + 1, 1>();
  }
  constexpr TileTable() { fill<1, 1>(); }
};
template <class Isa, class Element>
constexpr TileTable<Isa, Element> kTiles{};

/// Row tiles of nearly equal height: 64 rows are 9 tiles of 6 and 2 of 5, 7 rows are 4 + 3.
template <class Isa>
struct RowTiles {
  std::size_t count;
  std::size_t height;  // of most
  std::size_t taller;  // so many, the first ones, have one row more

  explicit RowTiles(std::size_t rows)
      : count((rows + Isa::kMaxRows - 1) / Isa::kMaxRows), height(rows / count), taller(rows % count) {}
  [[nodiscard]] std::size_t rows_of(std::size_t tile) const { return height + (tile < taller ? 1 : 0); }
  [[nodiscard]] std::size_t panels_at_once() const {
    return static_cast<std::size_t>(Isa::panels(static_cast<int>(rows_of(0))));
  }
};

/// The addresses of `count` rows from `first` on.
template <class Element>
inline void addresses(const Rows<Element>& rows, std::size_t first, std::size_t count, Element** out) {
  std::size_t within = first % rows.run;
  Element* step = rows.data + first / rows.run * rows.run_stride;
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = step + within * rows.stride;
    if (++within == rows.run) {
      within = 0;
      step += rows.run_stride;
    }
  }
}

/// The first columns of panel after panel.
struct ColumnWalk {
  explicit ColumnWalk(const PanelColumns& columns_of) : columns(columns_of), at(columns_of.first) {}

  void next() {
    at += kPanel;
    if (++in_group < columns.per_group) return;
    in_group = 0;
    at += columns.group_stride - columns.per_group * kPanel;
  }

  const PanelColumns columns;
  std::size_t at;
  std::size_t in_group = 0;
};

/// Fetches what the next tile adds to or writes, so that it does not wait for it (3 % of a training step).
inline void prefetch_rows(float* const* c, std::size_t rows, const std::size_t* column, std::size_t panels) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t p = 0; p < panels; ++p) __builtin_prefetch(c[r] + column[p], 1);
}

template <class Isa, class Element>
void multiply(const BasicProduct<Element>& product) {
  const std::size_t depth = product.groups * product.group_depth;
  const bool grouped = product.groups > 1;
  // A pass over the depth takes whole groups, or a part of the only one.
  const std::size_t pass_groups =
      grouped ? (kDepthBlock / product.group_depth > 0 ? kDepthBlock / product.group_depth : 1) : 1;
  const std::size_t pass = grouped ? pass_groups * product.group_depth : kDepthBlock;
  const Element* a[kRowBlock];
  const Element* a_pass[kRowBlock];
  float* c[kRowBlock];

  for (std::size_t first_row = 0; first_row < product.rows; first_row += kRowBlock) {
    const std::size_t rows = product.rows - first_row < kRowBlock ? product.rows - first_row : kRowBlock;
    addresses(product.a, first_row, rows, a);
    addresses(product.c, first_row, rows, c);
    const RowTiles<Isa> tiles(rows);
    const std::size_t panels_at_once = tiles.panels_at_once();
    ColumnWalk columns(product.columns);
    for (std::size_t panel = 0; panel < product.panels; panel += panels_at_once) {
      const std::size_t panels = product.panels - panel < panels_at_once ? product.panels - panel : panels_at_once;
      std::size_t column[kMaxPanels];
      for (std::size_t p = 0; p < panels; ++p, columns.next()) column[p] = columns.at;
      for (std::size_t k = 0; k < depth || k == 0; k += pass) {
        const std::size_t a_offset = grouped ? k / product.group_depth * product.group_stride : k;
        for (std::size_t r = 0; r < rows; ++r) a_pass[r] = a[r] + a_offset;
        const std::size_t left = depth - k;
        Tile<Element> tile{};
        tile.group_depth = grouped ? product.group_depth : (left < pass ? left : pass);
        tile.groups = grouped ? (left < pass ? left : pass) / product.group_depth : 1;
        tile.group_skip = grouped ? product.group_stride - product.group_depth : 0;
        tile.b = product.b + (panel * depth + k) * kPanel;
        tile.panel_stride = depth * kPanel;
        tile.column = column;
        tile.start = k == 0 ? product.start : Start::add;
        tile.bias = product.bias;
        // The pass after this one follows it in memory: fetch it meanwhile, a part with each tile (0.80 -> 0.86 of peak
        // at 64 rows, 0.60 -> 0.86 at depth 2048). A tile alone would wait for all of it at its start, and its loads,
        // one after the other, need no help (rune bench write-gru write --threads 1: 22 % and 29 % faster without).
        constexpr std::size_t kLine = kCacheLine / sizeof(Element);
        const std::size_t pass_size = (left < pass ? left : pass) * kPanel * panels;
        const std::size_t fetch = tiles.count == 1 ? 0 : (pass_size / tiles.count + kLine - 1) / kLine * kLine;
        const Element* ahead = tile.b + pass_size;
        std::size_t row = 0;
        for (std::size_t t = 0; t < tiles.count; ++t) {
          const std::size_t tall = tiles.rows_of(t);
          for (std::size_t i = 0; i < fetch; i += kLine) __builtin_prefetch(ahead + i);
          ahead += fetch;
          tile.a = a_pass + row;
          tile.c = c + row;
          prefetch_rows(c + row + tall, t + 1 < tiles.count ? tiles.rows_of(t + 1) : 0, column, panels);
          kTiles<Isa, Element>.at[tall][panels](tile);
          row += tall;
        }
      }
    }
  }
}

/// Rows [0, depth) of X (stride, columns) as panels (depth, 16), zeros past the last column.
inline void pack_panels(const float* x, std::size_t stride, std::size_t columns, std::size_t depth, float* out) {
  for (std::size_t first = 0; first < columns; first += kPanel) {
    const std::size_t width = columns - first < kPanel ? columns - first : kPanel;
    for (std::size_t k = 0; k < depth; ++k, out += kPanel) {
      const float* in = x + k * stride + first;
      if (width == kPanel)
        for (std::size_t j = 0; j < kPanel; ++j) out[j] = in[j];
      else
        for (std::size_t j = 0; j < kPanel; ++j) out[j] = j < width ? in[j] : 0.0F;
    }
  }
}

/// a[First], b[First], a[First + 1], b[First + 1], ...
template <int W, int First, int... I>
[[gnu::always_inline]] inline Vec<W> interleave(Vec<W> a, Vec<W> b, std::integer_sequence<int, I...> /*lanes*/) {
  return __builtin_shufflevector(a, b, (First + I / 2 + I % 2 * W)...);
}

/// W rows of W floats, transposed by log2(W) perfect shuffles.
template <int W>
inline void transpose_square(const float* in, std::size_t in_stride, float* out, std::size_t out_stride) {
  using Lanes = std::make_integer_sequence<int, W>;
  Vec<W> rows[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) rows[i] = load<W>(in + static_cast<std::size_t>(i) * in_stride);
#pragma GCC unroll 4
  for (int stage = 1; stage < W; stage *= 2) {
    Vec<W> shuffled[W];
#pragma GCC unroll 16
    for (int i = 0; i < W / 2; ++i) {
      shuffled[2 * i] = interleave<W, 0>(rows[i], rows[i + W / 2], Lanes{});
      shuffled[2 * i + 1] = interleave<W, W / 2>(rows[i], rows[i + W / 2], Lanes{});
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) rows[i] = shuffled[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) store<W>(out + static_cast<std::size_t>(i) * out_stride, rows[i]);
}

/// 16 columns of D, rows [0, depth), as 16 rows kOuterDepth apart.
template <int W>
inline void transpose_block(const float* d, std::size_t stride, std::size_t depth, float* out) {
  std::size_t k = 0;
  for (; k + W <= depth; k += W)
    for (std::size_t j = 0; j < kPanel; j += W)
      transpose_square<W>(d + k * stride + j, stride, out + j * kOuterDepth + k, kOuterDepth);
  for (; k < depth; ++k)
    for (std::size_t j = 0; j < kPanel; ++j) out[j * kOuterDepth + k] = d[k * stride + j];
}

template <int W>
void pack_panel(const float* rows, std::size_t stride, std::size_t count, std::size_t depth, float* panel) {
  std::size_t k = 0;
  if (count == kPanel)
    for (; k + W <= depth; k += W)
      for (std::size_t j = 0; j < kPanel; j += W)
        transpose_square<W>(rows + j * stride + k, stride, panel + k * kPanel + j, kPanel);
  for (; k < depth; ++k)
    for (std::size_t j = 0; j < kPanel; ++j) panel[k * kPanel + j] = j < count ? rows[j * stride + k] : 0.0F;
}

template <int W>
double sum_of(const float* values, std::size_t n) {
  Vec<W> sums{};
  std::size_t i = 0;
  for (; i + W <= n; i += W) sums += load<W>(values + i);
  double total = sum<W>(sums);
  for (; i < n; ++i) total += static_cast<double>(values[i]);
  return total;
}

/// A tile whose last panel may reach past the end of C's rows: works on a copy.
template <class Isa>
void multiply_edge_tile(Tile<float> tile, std::size_t rows, std::size_t panels, std::size_t width, float* scratch) {
  const std::size_t from = tile.column[0];
  float* edge[Isa::kMaxRows];
  std::size_t column[kMaxPanels];
  for (std::size_t p = 0; p < panels; ++p) column[p] = p * kPanel;
  for (std::size_t r = 0; r < rows; ++r) {
    edge[r] = scratch + r * kMaxPanels * kPanel;
    for (std::size_t j = 0; j < width; ++j) edge[r][j] = tile.c[r][from + j];
  }
  float* const* const c = tile.c;
  tile.c = edge;
  tile.column = column;
  kTiles<Isa, float>.at[rows][panels](tile);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < width; ++j) c[r][from + j] = edge[r][j];
}

/// For kOuterDepth rows at a time:
///   1. X is packed
///   2. for 8 of D's blocks at a time: they are transposed and summed
///   3. then it is the same product as everywhere
template <class Isa>
void outer_product(const OuterProduct& outer, std::span<const OuterBlock> blocks, float* scratch) {
  const std::size_t panels = (outer.columns + kPanel - 1) / kPanel;
  float* const x_packed = scratch;  // (panels, depth, 16)
  float* const d_transposed =
      x_packed + panels * kPanel * kOuterDepth;  // (128, kOuterDepth): 256 KiB, for the second-level cache
  float* const edge = d_transposed + kOuterBlocks * kPanel * kOuterDepth;  // (kMaxRows, 64)

  for (std::size_t first = 0; first < outer.rows; first += kOuterDepth) {
    const std::size_t depth = outer.rows - first < kOuterDepth ? outer.rows - first : kOuterDepth;
    const bool begin = first == 0 && !outer.add;
    // 1. X is packed
    pack_panels(outer.x + first * outer.x_stride, outer.x_stride, outer.columns, depth, x_packed);
    for (std::size_t base = 0; base < blocks.size(); base += kOuterBlocks) {
      // 2. D's blocks are transposed and summed
      const std::size_t count = blocks.size() - base < kOuterBlocks ? blocks.size() - base : kOuterBlocks;
      const float* a[kOuterBlocks * kPanel];
      float* c[kOuterBlocks * kPanel];
      std::size_t rows = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const OuterBlock& block = blocks[base + i];
        float* const transposed = d_transposed + i * kPanel * kOuterDepth;
        transpose_block<Isa::kWidth>(outer.d + first * outer.d_stride + block.d_column, outer.d_stride, depth,
                                     transposed);
        for (std::size_t j = 0; j < block.count; ++j, ++rows) {
          a[rows] = transposed + j * kOuterDepth;
          c[rows] = outer.c + (block.c_row + j) * outer.columns;
          if (outer.column_sums == nullptr) continue;
          float& target = outer.column_sums[block.c_row + j];
          target = (begin ? 0.0F : target) + static_cast<float>(sum_of<Isa::kWidth>(a[rows], depth));
        }
      }
      // 3. C += D^T * X
      const RowTiles<Isa> tiles(rows);
      const std::size_t panels_at_once = tiles.panels_at_once();
      for (std::size_t panel = 0; panel < panels; panel += panels_at_once) {
        const std::size_t at_once = panels - panel < panels_at_once ? panels - panel : panels_at_once;
        const std::size_t width = outer.columns - panel * kPanel;
        std::size_t column[kMaxPanels];
        for (std::size_t p = 0; p < at_once; ++p) column[p] = (panel + p) * kPanel;
        Tile<float> tile{};
        tile.group_depth = depth;
        tile.groups = 1;
        tile.b = x_packed + panel * depth * kPanel;
        tile.panel_stride = depth * kPanel;
        tile.column = column;
        tile.start = begin ? Start::zero : Start::add;
        std::size_t row = 0;
        for (std::size_t t = 0; t < tiles.count; ++t) {
          const std::size_t tall = tiles.rows_of(t);
          tile.a = a + row;
          tile.c = c + row;
          prefetch_rows(c + row + tall, t + 1 < tiles.count ? tiles.rows_of(t + 1) : 0, column, at_once);
          if (width < at_once * kPanel)
            multiply_edge_tile<Isa>(tile, tall, at_once, width, edge);
          else
            kTiles<Isa, float>.at[tall][at_once](tile);
          row += tall;
        }
      }
    }
  }
}

}  // namespace
}  // namespace rune::kernels
