#pragma once

#include <cstddef>

/// Arguments of the matrix products. Every element of a result is one chain of fused multiply-adds (or dot products of
/// two) over the depth, in ascending order, starting from its initial value; with AMX, chains over 512 of the depth,
/// each starting from zero, which are added to it one after the other. So its bits depend on the shapes alone, never on
/// tiles or threads.
namespace rune::kernels {

/// Units (hidden, gate columns, logits) come in blocks of 16 on every instruction set; a panel of packed weights is 16
/// columns wide.
inline constexpr std::size_t kPanel = 16;

/// Where row i of a matrix lies: data + (i / run) * run_stride + (i % run) * stride. One thread's rows of every step
/// are such a set.
template <class Element>
struct Rows {
  Element* data = nullptr;
  std::size_t stride = 0;      // elements between neighbouring rows
  std::size_t run = 1;         // rows of one step
  std::size_t run_stride = 0;  // elements between the same row of neighbouring steps
};

/// Rows that lie at one distance from each other.
template <class Element>
Rows<Element> plain_rows(Element* data, std::size_t stride) {
  return {data, stride, 1, stride};
}

/// Columns of 16 in groups: panel p stands at (p / per_group) * group_stride + first + (p % per_group) * 16. Gates of a
/// unit block are a group.
struct PanelColumns {
  std::size_t per_group = 1;
  std::size_t group_stride = kPanel;
  std::size_t first = 0;
};

enum class Start { zero, bias, add };

/// Packed panels, in the form that one table of kernels packs and reads.
struct Panels {
  const std::byte* data = nullptr;
  std::size_t panel_bytes = 0;

  [[nodiscard]] Panels from(std::size_t panel) const { return {data + panel * panel_bytes, panel_bytes}; }
};

/// C = start + A * B. A: (rows, depth), its depth made of `groups` runs of `group_depth` elements, `group_stride`
/// apart.
/// B: packed panels, each (groups * group_depth, 16). C: (rows, 16 * panels).
struct Product {
  Rows<const float> a;
  std::size_t rows = 0;
  std::size_t group_depth = 0;
  std::size_t groups = 1;
  std::size_t group_stride = 0;
  Panels b;
  std::size_t panels = 0;
  Rows<float> c;
  PanelColumns columns;
  Start start = Start::zero;
  const float* bias = nullptr;  // indexed by C's column; Start::bias alone

  [[nodiscard]] std::size_t depth() const { return groups * group_depth; }
};

/// A weight gradient: C[m][n] = sum over rows of D[row][m] * X[row][n], for the column blocks [begin, end) of D, 16
/// columns each.
/// C is a parameter tensor in PyTorch's layout: block m of D goes to the 16 (or fewer) rows that `target` names.
struct OuterProduct {
  const float* d = nullptr;
  std::size_t d_stride = 0;
  const float* x = nullptr;
  std::size_t x_stride = 0;
  std::size_t rows = 0;          // the reduction, in ascending order
  std::size_t columns = 0;       // of X and C
  float* c = nullptr;            // (.., columns), row-major
  float* column_sums = nullptr;  // sum over rows of D, by C's row; may be null
  bool add = false;              // to what C and the sums hold; else they are overwritten
};

/// One block of 16 columns of D: `d_column` is where it starts, `c_row` the row of C it begins at, `count` how many
/// rows are real.
struct OuterBlock {
  std::size_t d_column = 0;
  std::size_t c_row = 0;
  std::size_t count = kPanel;
};

/// Rows of the reduction that an outer product packs at a time (512 rather than 256: 4 % of a training step of system
/// A, 1024: slower), and how many of D's blocks it transposes at a time.
inline constexpr std::size_t kOuterDepth = 512;
inline constexpr std::size_t kOuterBlocks = 8;
inline constexpr std::size_t kOuterEdge = 8 * 4 * kPanel;  // floats of a tile at C's edge

/// Scratch of one thread for an outer product with `columns` columns, in floats, whatever the operands: a tile at C's
/// edge, transposed D, packed X.
constexpr std::size_t outer_scratch_size(std::size_t columns) {
  return (columns + kPanel - 1) / kPanel * kPanel * kOuterDepth + kOuterBlocks * kPanel * kOuterDepth + kOuterEdge;
}

}  // namespace rune::kernels
