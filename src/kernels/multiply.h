#pragma once

#include <limits>
#include <utility>

#include "kernels/operand.h"

/// The one matrix product of the program: register tiles over packed panels of 16 columns.
/// The templates' parameter Isa is one of instruction_sets.h, Operand one of operand.h.
namespace rune::kernels {
namespace {

// Rows whose addresses are worked out at a time; their operands (96 x 256 floats) stay in the second-level cache.
constexpr std::size_t kRowBlock = 96;
// Of A's elements that are converted at a time the greatest depth, and room for 64 rows of it, a cache line apart:
// 260 KiB, for the second-level cache.
constexpr std::size_t kConvertedDepth = 2048;
constexpr std::size_t kConvertedElements = 64 * (kConvertedDepth + 32);
constexpr std::size_t kCacheLine = 64;
// Rows that packing and transposing take of one panel after the other, so that each is read from end to end: a panel
// alone would be one cache line of each row. A multiple of all vectors of operands.
constexpr std::size_t kRowsTogether = 32;
constexpr int kSecondLevelCache = 2;  // of __builtin_prefetch
// Panels that a tile takes at once, at most.
constexpr int kMaxPanels = 4;

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
  const Element* ahead;  // what is fetched meanwhile, so many elements at each step of the depth
  std::size_t ahead_step;
};

/// What an operand takes that has more than vectors: rows of A at one distance, and all of the panels. Rows come in
/// multiples of kRowMultiple, of which those with a null `c` are not wanted, and depth in multiples of kDepthMultiple,
/// filled up with zeros.
template <class Element>
struct MatrixProduct {
  const Element* a;
  std::size_t a_stride;
  std::size_t rows;
  std::size_t depth;
  const Element* b;
  std::size_t panel_stride;
  std::size_t panels;
  float* const* c;
  PanelColumns columns;
  std::size_t width;  // of C's rows
  Start start;
  const float* bias;
};

template <class Operand, int W, int R, int P>
void multiply_tile(const Tile<typename Operand::Element>& tile) {
  using Element = typename Operand::Element;
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
  const Element* ahead = tile.ahead;
  std::size_t k = 0;  // in elements of A's rows
  for (std::size_t group = 0; group < tile.groups; ++group) {
    const std::size_t end = k + tile.group_depth;
#pragma GCC unroll 2
    for (; k < end; k += Operand::kDepth, b += Operand::kDepth * kPanel) {
      __builtin_prefetch(ahead, 0, kSecondLevelCache);
      ahead += tile.ahead_step;
      decltype(Operand::column(b)) column[P][V];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v)
          column[p][v] = Operand::column(b + static_cast<std::size_t>(p) * tile.panel_stride +
                                         static_cast<std::size_t>(v) * W * Operand::kDepth);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const auto row = Operand::row(a[r] + k);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p)
#pragma GCC unroll 16
          for (int v = 0; v < V; ++v) acc[r][p][v] = Operand::multiply_add(acc[r][p][v], row, column[p][v]);
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
template <class Isa, class Operand>
struct TileTable {
  using Function = void (*)(const Tile<typename Operand::Element>&);
  Function at[Isa::kMaxRows + 1][kMaxPanels + 1] = {};

  template <int R, int P>
  constexpr void fill() {
    if constexpr (P <= Isa::panels(R)) {
      at[R][P] = multiply_tile<Operand, Isa::kWidth, R, P>;
      if constexpr (P < kMaxPanels) fill<R, P + 1>();
    }
    if constexpr (P == 1 && R < Isa::kMaxRows) fill<R + 1, 1>();
  }
  constexpr TileTable() { fill<1, 1>(); }
};
template <class Isa, class Operand>
constexpr TileTable<Isa, Operand> kTiles{};

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

/// Not base's round_up: an inline function of all layers could be linked as this instruction set's copy.
constexpr std::size_t up_to_multiple(std::size_t n, std::size_t of) { return (n + of - 1) / of * of; }

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

/// Some rows of a product, as its tiles read and write them.
template <class Element>
struct RowBlock {
  std::size_t first = 0;  // row of the product
  std::size_t count = 0;
  const Element* a[kRowBlock];
  std::size_t a_stride = 0;  // where they are converted
  float* c[kRowBlock];
  // Of A's rows, as in Product.
  std::size_t group_depth = 0;
  std::size_t groups = 1;
  std::size_t group_stride = 0;
};

/// A's rows, converted, (rows, stride). It belongs to the thread from its start on: a kernel can neither fail for
/// want of memory nor outgrow a stack.
template <class Element>
alignas(kCacheLine) thread_local Element converted[kConvertedElements];

/// Calls the function with one block of rows after the other, all of nearly equal height. Where operands are not
/// floats, A's rows are converted here, once for all panels: of 64 rows of 512, against 2048 columns, less than 1 % of
/// the time.
template <class Operand, class Function>
void for_row_blocks(const Product& product, Function&& function) {
  using Element = typename Operand::Element;
  const std::size_t depth = product.depth();
  const std::size_t padded = up_to_multiple(depth, Operand::kDepthMultiple);
  const std::size_t stride = Operand::row_stride(padded);
  std::size_t most = kRowBlock;
  if (Operand::kConverts && stride * most > kConvertedElements)
    most = kConvertedElements / stride / Operand::kRowMultiple * Operand::kRowMultiple;
  const std::size_t blocks = (product.rows + most - 1) / most;

  [[maybe_unused]] const typename Operand::Registers registers;
  RowBlock<Element> block;
  for (std::size_t i = 0; i < blocks; ++i, block.first += block.count) {
    block.count = (product.rows - block.first + blocks - i - 1) / (blocks - i);
    addresses(product.c, block.first, block.count, block.c);
    if constexpr (Operand::kConverts) {
      block.group_depth = padded;
      block.a_stride = stride;
      const float* rows[kRowBlock];
      addresses(product.a, block.first, block.count, rows);
      for (std::size_t r = 0; r < block.count; ++r) {
        Element* const out = converted<Element> + r * stride;
        for (std::size_t group = 0; group < product.groups; ++group)
          Operand::convert(rows[r] + group * product.group_stride, product.group_depth,
                           out + group * product.group_depth);
        for (std::size_t k = depth; k < padded; ++k) out[k] = 0;
        block.a[r] = out;
      }
    } else {
      block.group_depth = product.group_depth;
      block.groups = product.groups;
      block.group_stride = product.group_stride;
      addresses(product.a, block.first, block.count, block.a);
    }
    function(std::as_const(block));
  }
}

/// The product for a block of rows, by tiles of vectors.
template <class Isa, class Operand>
void multiply_row_tiles(const RowBlock<typename Operand::Element>& block, const Product& product) {
  using Element = typename Operand::Element;
  constexpr std::size_t kPass = Isa::kDepthBlock * Operand::kDepth;
  const std::size_t depth = block.groups * block.group_depth;
  const std::size_t panel_stride = product.b.panel_bytes / sizeof(Element);
  const bool grouped = block.groups > 1;
  // A pass over the depth takes whole groups, or a part of the only one.
  const std::size_t pass_groups = grouped ? (kPass / block.group_depth > 0 ? kPass / block.group_depth : 1) : 1;
  const std::size_t pass = grouped ? pass_groups * block.group_depth : kPass;
  const RowTiles<Isa> tiles(block.count);
  const std::size_t panels_at_once = tiles.panels_at_once();
  const Element* a_pass[kRowBlock];
  ColumnWalk columns(product.columns);
  for (std::size_t panel = 0; panel < product.panels; panel += panels_at_once) {
    const std::size_t panels = product.panels - panel < panels_at_once ? product.panels - panel : panels_at_once;
    std::size_t column[kMaxPanels];
    for (std::size_t p = 0; p < panels; ++p, columns.next()) column[p] = columns.at;
    for (std::size_t k = 0; k < depth || k == 0; k += pass) {
      const std::size_t a_offset = grouped ? k / block.group_depth * block.group_stride : k;
      for (std::size_t r = 0; r < block.count; ++r) a_pass[r] = block.a[r] + a_offset;
      const std::size_t left = depth - k;
      Tile<Element> tile{};
      tile.group_depth = grouped ? block.group_depth : (left < pass ? left : pass);
      tile.groups = grouped ? (left < pass ? left : pass) / block.group_depth : 1;
      tile.group_skip = grouped ? block.group_stride - block.group_depth : 0;
      tile.b = reinterpret_cast<const Element*>(product.b.data) + panel * panel_stride + k * kPanel;
      tile.panel_stride = panel_stride;
      tile.column = column;
      tile.start = k == 0 ? product.start : Start::add;
      tile.bias = product.bias;
      // The pass after this one follows it in memory: fetch it meanwhile, a line at each step of the depth. On
      // Intel, 64 rows of 512 by 2048 columns, called alone, reach 0.76 of the peak with a burst before each tile and
      // 0.87 so; rune bench evaluate is 9 % faster. One row tile needs no help, its loads come one after the other.
      constexpr std::size_t kLine = kCacheLine / sizeof(Element);
      const std::size_t pass_size = (left < pass ? left : pass) * kPanel * panels;
      tile.ahead = tile.b + (tiles.count == 1 ? 0 : pass_size);
      tile.ahead_step = tiles.count == 1 ? 0 : kLine;
      std::size_t row = 0;
      for (std::size_t t = 0; t < tiles.count; ++t) {
        const std::size_t tall = tiles.rows_of(t);
        tile.a = a_pass + row;
        tile.c = block.c + row;
        prefetch_rows(block.c + row + tall, t + 1 < tiles.count ? tiles.rows_of(t + 1) : 0, column, panels);
        kTiles<Isa, Operand>.at[tall][panels](tile);
        tile.ahead += tile.group_depth * tile.groups / Operand::kDepth * tile.ahead_step;
        row += tall;
      }
    }
  }
}

/// The product for a block of rows.
template <class Isa, class Operand>
void multiply_rows(const RowBlock<typename Operand::Element>& block, const Product& product) {
  if constexpr (Operand::kMatrices) {
    using Element = typename Operand::Element;
    constexpr std::size_t kPass = Isa::kDepthBlock * Operand::kDepth;
    const std::size_t depth = block.group_depth;  // one group: A is converted
    const auto* const b = reinterpret_cast<const Element*>(product.b.data);
    for (std::size_t k = 0; k < depth || k == 0; k += kPass)
      Operand::multiply({.a = block.a[0] + k,
                         .a_stride = block.a_stride,
                         .rows = block.count,
                         .depth = depth - k < kPass ? depth - k : kPass,
                         .b = b + k * kPanel,
                         .panel_stride = product.b.panel_bytes / sizeof(Element),
                         .panels = product.panels,
                         .c = block.c,
                         .columns = product.columns,
                         .width = std::numeric_limits<std::size_t>::max(),
                         .start = k == 0 ? product.start : Start::add,
                         .bias = product.bias});
  } else {
    multiply_row_tiles<Isa, Operand>(block, product);
  }
}

template <class Isa, class Operand>
void multiply(const Product& product) {
  if (!Operand::kConverts || product.depth() <= kConvertedDepth) {
    for_row_blocks<Operand>(product, [&](const auto& block) { multiply_rows<Isa, Operand>(block, product); });
    return;
  }
  // A depth of which too few rows could be converted at once, in slabs.
  const bool grouped = product.groups > 1;
  // An even number of groups, which are multiples of 16: then a slab needs no filling up.
  const std::size_t most =
      grouped ? (kConvertedDepth / product.group_depth / 2 + 1) * 2 * product.group_depth : kConvertedDepth;
  Product slab = product;
  for (std::size_t k = 0; k < product.depth(); k += most) {
    const std::size_t depth = product.depth() - k < most ? product.depth() - k : most;
    slab.a.data = product.a.data + (grouped ? k / product.group_depth * product.group_stride : k);
    slab.groups = grouped ? depth / product.group_depth : 1;
    slab.group_depth = grouped ? product.group_depth : depth;
    slab.b.data = product.b.data + k * kPanel * sizeof(typename Operand::Element);
    slab.start = k == 0 ? product.start : Start::add;
    for_row_blocks<Operand>(slab, [&](const auto& block) { multiply_rows<Isa, Operand>(block, slab); });
  }
}

/// Rows [0, depth) of X (stride, columns) as panels (padded, 16), zeros past the last column and row.
template <class Operand>
void pack_panels(const float* x, std::size_t stride, std::size_t columns, std::size_t depth, std::size_t padded_depth,
                 typename Operand::Element* out) {
  constexpr std::size_t kDepth = Operand::kDepth;
  for (std::size_t from = 0; from < padded_depth; from += kRowsTogether)
    for (std::size_t first = 0; first < columns; first += kPanel) {
      const std::size_t width = columns - first < kPanel ? columns - first : kPanel;
      const std::size_t end = from + kRowsTogether < padded_depth ? from + kRowsTogether : padded_depth;
      for (std::size_t k = from; k < end; k += kDepth) {
        float padded[kDepth][kPanel];
        const float* rows[kDepth];
        for (std::size_t i = 0; i < kDepth; ++i) {
          const std::size_t real = k + i < depth ? width : 0;
          rows[i] = x + (real > 0 ? k + i : 0) * stride + first;
          if (real == kPanel) continue;
          for (std::size_t j = 0; j < kPanel; ++j) padded[i][j] = j < real ? rows[i][j] : 0.0F;
          rows[i] = padded[i];
        }
        Operand::interleave(rows, out + first * padded_depth + k * kPanel);
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

/// From a row of D transposed to the next, in elements: whole cache lines. Of a small depth the rows stand close
/// together, since at the distance of the greatest one all would fall into the same sets of the first-level cache.
template <class Operand>
constexpr std::size_t transposed_stride(std::size_t padded_depth) {
  return Operand::row_stride(up_to_multiple(padded_depth, kCacheLine / sizeof(typename Operand::Element)));
}

/// 16 columns of D, rows [0, depth), as 16 rows `out_stride` apart, filled up with zeros; with `sums`, 16 of them, the
/// columns are added to these as well. Operands of several elements are first interleaved, then transposed as floats
/// are: half the shuffles of bf16.
template <class Operand, int W>
inline void transpose_block(const float* d, std::size_t stride, std::size_t depth, typename Operand::Element* out,
                            std::size_t out_stride, float* sums) {
  constexpr std::size_t kDepth = Operand::kDepth;
  Vec<W> totals[kPanel / W] = {};
  if (sums != nullptr)
    for (std::size_t j = 0; j < kPanel; j += W) totals[j / W] = load<W>(sums + j);
  std::size_t k = 0;
  for (; k + W * kDepth <= depth; k += W * kDepth) {
    const float* square = d + k * stride;
    std::size_t square_stride = stride;
    [[maybe_unused]] float operands[W * kPanel];
    if constexpr (Operand::kConverts) {
      for (std::size_t i = 0; i < W; ++i) {
        const float* rows[kDepth];
        for (std::size_t r = 0; r < kDepth; ++r) rows[r] = square + (i * kDepth + r) * stride;
        Operand::interleave(rows, reinterpret_cast<typename Operand::Element*>(operands + i * kPanel));
      }
      square = operands;
      square_stride = kPanel;
    }
    for (std::size_t j = 0; j < kPanel; j += W)
      transpose_square<W>(square + j, square_stride, reinterpret_cast<float*>(out + j * out_stride + k),
                          out_stride / kDepth);
    if (sums == nullptr) continue;
    for (std::size_t j = 0; j < kPanel; j += W) {
      Vec<W> part[4] = {};
      for (std::size_t i = 0; i < W * kDepth; ++i) part[i % 4] += load<W>(d + (k + i) * stride + j);
      totals[j / W] += (part[0] + part[1]) + (part[2] + part[3]);
    }
  }
  for (; k < depth; ++k)
    for (std::size_t j = 0; j < kPanel; j += W) {
      for (std::size_t i = j; i < j + W; ++i) Operand::convert(d + k * stride + i, 1, out + i * out_stride + k);
      totals[j / W] += load<W>(d + k * stride + j);
    }
  for (; k % Operand::kDepthMultiple != 0; ++k)
    for (std::size_t j = 0; j < kPanel; ++j) out[j * out_stride + k] = 0;
  if (sums == nullptr) return;
  for (std::size_t j = 0; j < kPanel; j += W) store<W>(sums + j, totals[j / W]);
}

/// Rows of a matrix, up to 16 of them, as the columns of a panel; zeros where there is no row.
template <class Operand, int W>
void pack_columns(const float* rows, std::size_t stride, std::size_t count, std::size_t depth, std::byte* panel) {
  auto* out = reinterpret_cast<typename Operand::Element*>(panel);
  for (std::size_t k = 0; k < depth; k += kPanel, out += kPanel * kPanel) {
    float square[kPanel * kPanel];  // (depth, 16)
    const std::size_t now = depth - k < kPanel ? depth - k : kPanel;
    if (count == kPanel && now == kPanel)
      for (std::size_t i = 0; i < kPanel; i += W)
        for (std::size_t j = 0; j < kPanel; j += W)
          transpose_square<W>(rows + j * stride + k + i, stride, square + i * kPanel + j, kPanel);
    else
      for (std::size_t i = 0; i < now; ++i)
        for (std::size_t j = 0; j < kPanel; ++j) square[i * kPanel + j] = j < count ? rows[j * stride + k + i] : 0.0F;
    pack_panels<Operand>(square, kPanel, kPanel, now, up_to_multiple(now, Operand::kDepth), out);
  }
}

/// `depth` neighbouring rows of a matrix, up to 16 columns of each, as a part of a panel.
template <class Operand>
void pack_rows(const float* rows, std::size_t stride, std::size_t width, std::size_t depth, std::byte* panel) {
  pack_panels<Operand>(rows, stride, width, depth, up_to_multiple(depth, Operand::kDepth),
                       reinterpret_cast<typename Operand::Element*>(panel));
}

/// A tile whose last panel may reach past the end of C's rows: works on a copy.
template <class Isa, class Operand>
void multiply_edge_tile(Tile<typename Operand::Element> tile, std::size_t rows, std::size_t panels, std::size_t width,
                        float* scratch) {
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
  kTiles<Isa, Operand>.at[rows][panels](tile);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < width; ++j) c[r][from + j] = edge[r][j];
}

/// A product of which C's rows may end within a panel, by tiles of vectors. `a`: its rows, where they are not at one
/// distance.
template <class Isa, class Operand>
void multiply_outer_tiles(const MatrixProduct<typename Operand::Element>& product,
                          const typename Operand::Element* const* a, float* edge) {
  const RowTiles<Isa> tiles(product.rows);
  const std::size_t panels_at_once = tiles.panels_at_once();
  for (std::size_t panel = 0; panel < product.panels; panel += panels_at_once) {
    const std::size_t at_once = product.panels - panel < panels_at_once ? product.panels - panel : panels_at_once;
    const std::size_t width = product.width - panel * kPanel;
    std::size_t column[kMaxPanels];
    for (std::size_t p = 0; p < at_once; ++p) column[p] = (panel + p) * kPanel;
    Tile<typename Operand::Element> tile{};
    tile.group_depth = product.depth;
    tile.groups = 1;
    tile.b = product.b + panel * product.panel_stride;
    tile.panel_stride = product.panel_stride;
    tile.column = column;
    tile.start = product.start;
    tile.ahead = tile.b;
    std::size_t row = 0;
    for (std::size_t t = 0; t < tiles.count; ++t) {
      const std::size_t tall = tiles.rows_of(t);
      tile.a = a + row;
      tile.c = product.c + row;
      prefetch_rows(product.c + row + tall, t + 1 < tiles.count ? tiles.rows_of(t + 1) : 0, column, at_once);
      if (width < at_once * kPanel)
        multiply_edge_tile<Isa, Operand>(tile, tall, at_once, width, edge);
      else
        kTiles<Isa, Operand>.at[tall][at_once](tile);
      row += tall;
    }
  }
}

/// For kOuterDepth rows at a time:
///   1. X is packed
///   2. for 8 of D's blocks at a time: they are transposed and summed
///   3. then it is the same product as everywhere
template <class Isa, class Operand>
void outer_product(const OuterProduct& outer, std::span<const OuterBlock> blocks, float* scratch) {
  using Element = typename Operand::Element;
  [[maybe_unused]] const typename Operand::Registers registers;
  const std::size_t panels = (outer.columns + kPanel - 1) / kPanel;
  float* const edge = scratch;                                               // (kMaxRows, 64)
  auto* const d_transposed = reinterpret_cast<Element*>(edge + kOuterEdge);  // (128, d_stride)
  Element* const x_packed =
      d_transposed + kOuterBlocks * kPanel * transposed_stride<Operand>(kOuterDepth);  // (panels, padded, 16)

  for (std::size_t first = 0; first < outer.rows; first += kOuterDepth) {
    const std::size_t depth = outer.rows - first < kOuterDepth ? outer.rows - first : kOuterDepth;
    const std::size_t padded = up_to_multiple(depth, Operand::kDepthMultiple);
    const std::size_t d_stride = transposed_stride<Operand>(padded);
    const bool begin = first == 0 && !outer.add;
    // 1. X is packed
    pack_panels<Operand>(outer.x + first * outer.x_stride, outer.x_stride, outer.columns, depth, padded, x_packed);
    for (std::size_t base = 0; base < blocks.size(); base += kOuterBlocks) {
      // 2. D's blocks are transposed and summed
      const std::size_t count = blocks.size() - base < kOuterBlocks ? blocks.size() - base : kOuterBlocks;
      const Element* a[kOuterBlocks * kPanel];
      float* c[kOuterBlocks * kPanel];
      float sums[kOuterBlocks][kPanel] = {};
      for (std::size_t k = 0; k < depth; k += kRowsTogether)
        for (std::size_t i = 0; i < count; ++i)
          transpose_block<Operand, Isa::kWidth>(outer.d + (first + k) * outer.d_stride + blocks[base + i].d_column,
                                                outer.d_stride, depth - k < kRowsTogether ? depth - k : kRowsTogether,
                                                d_transposed + i * kPanel * d_stride + k, d_stride,
                                                outer.column_sums != nullptr ? sums[i] : nullptr);
      std::size_t rows = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const OuterBlock& block = blocks[base + i];
        Element* const transposed = d_transposed + i * kPanel * d_stride;
        for (std::size_t j = 0; j < block.count; ++j, ++rows) {
          a[rows] = transposed + j * d_stride;
          c[rows] = outer.c + (block.c_row + j) * outer.columns;
          if (outer.column_sums == nullptr) continue;
          float& target = outer.column_sums[block.c_row + j];
          target = (begin ? 0.0F : target) + sums[i][j];
        }
        if constexpr (Operand::kMatrices)
          for (; rows < (i + 1) * kPanel; ++rows) c[rows] = nullptr;
      }
      // 3. C += D^T * X
      const MatrixProduct<Element> product{.a = d_transposed,
                                           .a_stride = d_stride,
                                           .rows = rows,
                                           .depth = padded,
                                           .b = x_packed,
                                           .panel_stride = padded * kPanel,
                                           .panels = panels,
                                           .c = c,
                                           .columns = {},
                                           .width = outer.columns,
                                           .start = begin ? Start::zero : Start::add,
                                           .bias = nullptr};
      if constexpr (Operand::kMatrices)
        Operand::multiply(product);
      else
        multiply_outer_tiles<Isa, Operand>(product, a, edge);
    }
  }
}

}  // namespace
}  // namespace rune::kernels
