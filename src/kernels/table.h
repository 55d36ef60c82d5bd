#pragma once

#include "kernels/cell_gru.h"
#include "kernels/cell_loop.h"
#include "kernels/cell_lstm.h"
#include "kernels/cell_mingru.h"
#include "kernels/cell_rnn.h"
#include "kernels/multiply.h"
#include "kernels/pointwise.h"

/// Makes the function table of one instruction set out of the templates.
namespace rune::kernels {
namespace {

/// One step of a stage, for some rows at a time, unit block by unit block, so that the gates are still in the
/// first-level cache when they are activated:
/// 1. gates += h' * W_hh for the block's panels
/// 2. the pointwise part of the block's 16 units
template <class Isa, class Operand, class Stage>
void stage_step(const Product& product, const CellForward& forward, std::size_t unit_blocks) {
  const auto work = [&](std::size_t first, std::size_t rows, auto&& multiply_block) {
    CellForward block = forward;
    block.rows = rows;
    block.gates += first * forward.gates_stride;
    const std::size_t from = first * forward.stride;
    block.hidden += from;
    if (block.previous_hidden != nullptr) block.previous_hidden += from;
    if (block.cell != nullptr) {
      block.previous_cell += from;
      block.cell += from;
    }
    for (std::size_t u = 0; u < unit_blocks; ++u) {
      multiply_block(u);
      Stage::template forward<Isa::kWidth>(block);
      block.gates += Stage::kSlots * kPanel;
      block.hidden += kPanel;
      if (block.previous_hidden != nullptr) block.previous_hidden += kPanel;
      if (block.cell != nullptr) {
        block.previous_cell += kPanel;
        block.cell += kPanel;
      }
    }
  };
  if constexpr (Stage::kProductSlots == 0) {
    work(0, forward.rows, [](std::size_t) {});
  } else {
    for_row_blocks<Operand>(product, [&](const auto& rows) {
      Product of_unit = product;
      of_unit.panels = Stage::kProductSlots;
      work(rows.first, rows.count, [&](std::size_t u) {
        of_unit.b = product.b.from(u * Stage::kProductSlots);
        of_unit.columns.first = product.columns.first + u * Stage::kSlots * kPanel;
        multiply_rows<Isa, Operand>(rows, of_unit);
      });
    });
  }
}

template <class Isa, class Stage>
void stage_backward(const CellBackward& backward, std::size_t unit_blocks) {
  CellBackward block = backward;
  for (std::size_t u = 0; u < unit_blocks; ++u) {
    Stage::template backward<Isa::kWidth>(block);
    block.gates += Stage::kSlots * kPanel;
    block.hidden += kPanel;
    block.previous_hidden += kPanel;
    block.d_hidden += kPanel;
    if (block.d_previous_hidden != nullptr) block.d_previous_hidden += kPanel;
    if (block.cell != nullptr) {
      block.previous_cell += kPanel;
      block.cell += kPanel;
      block.d_cell += kPanel;
    }
  }
}

template <class Isa, class Operand, class Stage>
constexpr StageKernels stage() {
  return {stage_step<Isa, Operand, Stage>, stage_backward<Isa, Stage>};
}

/// Ten chains, written out (an array of them would live in memory): enough to hide the latency of a multiply-add. They
/// start at values that the compiler cannot know: a chain that it can compute costs nothing and raises the peak.
constexpr std::size_t kChains = 10;
template <class Operand, int W>
float multiply_add_chains(std::size_t n) {
  alignas(kCacheLine) typename Operand::Element small[W * Operand::kDepth];
  for (std::size_t i = 0; i < W * Operand::kDepth; ++i) {
    const float value = 1 / static_cast<float>(n + i + 2);
    Operand::convert(&value, 1, small + i);
  }
  const auto x = Operand::column(small);
  const auto y = Operand::row(small);
  const Vec<W> first = splat<W>(static_cast<float>(n));
  Vec<W> a = first, b = a + 1, c = b + 1, d = c + 1, e = d + 1, f = e + 1, g = f + 1, h = g + 1, i = h + 1, j = i + 1;
  for (std::size_t k = 0; k < n; ++k) {
    a = Operand::multiply_add(a, y, x);
    b = Operand::multiply_add(b, y, x);
    c = Operand::multiply_add(c, y, x);
    d = Operand::multiply_add(d, y, x);
    e = Operand::multiply_add(e, y, x);
    f = Operand::multiply_add(f, y, x);
    g = Operand::multiply_add(g, y, x);
    h = Operand::multiply_add(h, y, x);
    i = Operand::multiply_add(i, y, x);
    j = Operand::multiply_add(j, y, x);
  }
  return (a + b + c + d + e + f + g + h + i + j)[0];
}

/// As many independent sums as hide the latency of an addition.
template <int W>
float read(const float* values, std::size_t n) {
  constexpr std::size_t kSums = 8;
  Vec<W> sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums * W <= n; i += kSums * W)
#pragma GCC unroll 8
    for (std::size_t s = 0; s < kSums; ++s) sums[s] += load<W>(values + i + s * W);
  float total = 0;
  for (; i < n; ++i) total += values[i];
  for (const Vec<W>& lanes : sums) total += static_cast<float>(sum<W>(lanes));
  return total;
}

template <class Isa, class Operand = FloatOperand<Isa::kWidth>>
constexpr Kernels make_kernels(const Kernels* canonical) {
  constexpr int W = Isa::kWidth;
  Kernels table{};
  table.isa = Isa::kIsa;
  table.canonical = canonical;
  table.precision = Operand::kPrecision;
  table.element_bytes = sizeof(typename Operand::Element);
  table.element_depth = Operand::kDepth;
  table.depth_multiple = Operand::kDepthMultiple;
  table.multiply = multiply<Isa, Operand>;
  table.outer_product = outer_product<Isa, Operand>;
  const auto set_cell = [&](CellKind kind, StageKernels outer, StageKernels inner = {}) {
    table.cells[static_cast<std::size_t>(kind)] = {outer, inner};
  };
  set_cell(CellKind::rnn_tanh, stage<Isa, Operand, Rnn<false>>());
  set_cell(CellKind::rnn_relu, stage<Isa, Operand, Rnn<true>>());
  set_cell(CellKind::gru, stage<Isa, Operand, Gru>());
  set_cell(CellKind::lstm, stage<Isa, Operand, Lstm>());
  set_cell(CellKind::loop, stage<Isa, Operand, LoopOuter>(), stage<Isa, Operand, LoopInner>());
  set_cell(CellKind::loop_concat, stage<Isa, Operand, LoopOuter>(), stage<Isa, Operand, LoopConcatInner>());
  set_cell(CellKind::mingru, stage<Isa, Operand, MinGru>());
  table.cross_entropy = cross_entropy<W>;
  table.exponentials = exponentials<W>;
  table.dropout = dropout<W>;
  table.gather = gather;
  table.scatter_add = scatter_add;
  table.pack_columns = pack_columns<Operand, W>;
  table.pack_rows = pack_rows<Operand>;
  table.adam = adam;
  table.sgd = sgd;
  table.rmsprop = rmsprop;
  table.move_average = move_average;
  table.sum_of_squares = sum_of_squares;
  if constexpr (Operand::kMatrices) {
    table.multiply_add_chains = Operand::multiply_add_chains;
    table.multiply_adds_per_repetition = Operand::kMultiplyAddsPerRepetition;
  } else {
    table.multiply_add_chains = multiply_add_chains<Operand, W>;
    table.multiply_adds_per_repetition = kChains * W * Operand::kDepth;
  }
  table.read = read<W>;
  return table;
}

}  // namespace
}  // namespace rune::kernels
