#pragma once

#include "kernels/cell_gru.h"
#include "kernels/cell_lstm.h"
#include "kernels/cell_rnn.h"
#include "kernels/multiply.h"
#include "kernels/pointwise.h"

/// Makes the function table of one instruction set out of the templates.
namespace rune::kernels {
namespace {

/// One step of a cell, unit block by unit block, so that the gates are still in the first-level cache when they are
/// activated:
/// 1. gates += h' * W_hh for the block's panels
/// 2. the pointwise part of the block's 16 units
template <class Isa, class Cell>
void cell_step(const Product& product, const CellForward& forward, std::size_t unit_blocks) {
  Product block_product = product;
  CellForward block = forward;
  const std::size_t panel_size = product.groups * product.group_depth * kPanel;
  block_product.panels = Cell::kProductSlots;
  for (std::size_t u = 0; u < unit_blocks; ++u) {
    multiply<Isa, float>(block_product);
    Cell::template forward<Isa::kWidth>(block);
    block_product.b += Cell::kProductSlots * panel_size;
    block_product.columns.first += Cell::kSlots * kPanel;
    block.gates += Cell::kSlots * kPanel;
    block.hidden += kPanel;
    if (block.previous_hidden != nullptr) block.previous_hidden += kPanel;
    if (block.cell != nullptr) {
      block.previous_cell += kPanel;
      block.cell += kPanel;
    }
  }
}

template <class Isa, class Cell>
void cell_backward(const CellBackward& backward, std::size_t unit_blocks) {
  CellBackward block = backward;
  for (std::size_t u = 0; u < unit_blocks; ++u) {
    Cell::template backward<Isa::kWidth>(block);
    block.gates += Cell::kSlots * kPanel;
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

template <class Isa, class Cell>
constexpr CellKernels cell_kernels() {
  return {cell_step<Isa, Cell>, cell_backward<Isa, Cell>};
}

/// Ten chains, written out (an array of them would live in memory): enough to hide the latency of a multiply-add. They
/// start at values that the compiler cannot know: a chain that it can compute costs nothing and raises the peak.
constexpr std::size_t kChains = 10;
template <int W>
float multiply_add_chains(std::size_t n) {
  const Vec<W> x = splat<W>(0.999F);
  const Vec<W> y = splat<W>(0.001F);
  const Vec<W> first = splat<W>(static_cast<float>(n));
  Vec<W> a = first, b = a + y, c = b + y, d = c + y, e = d + y, f = e + y, g = f + y, h = g + y, i = h + y, j = i + y;
  for (std::size_t k = 0; k < n; ++k) {
    a = a * x + y;
    b = b * x + y;
    c = c * x + y;
    d = d * x + y;
    e = e * x + y;
    f = f * x + y;
    g = g * x + y;
    h = h * x + y;
    i = i * x + y;
    j = j * x + y;
  }
  return (a + b + c + d + e + f + g + h + i + j)[0];
}

template <class Isa>
constexpr Kernels make_kernels() {
  constexpr int W = Isa::kWidth;
  Kernels table{};
  table.isa = Isa::kIsa;
  table.multiply = multiply<Isa, float>;
  table.outer_product = outer_product<Isa>;
  table.cells[static_cast<std::size_t>(CellKind::rnn_tanh)] = cell_kernels<Isa, Rnn<false>>();
  table.cells[static_cast<std::size_t>(CellKind::rnn_relu)] = cell_kernels<Isa, Rnn<true>>();
  table.cells[static_cast<std::size_t>(CellKind::gru)] = cell_kernels<Isa, Gru>();
  table.cells[static_cast<std::size_t>(CellKind::lstm)] = cell_kernels<Isa, Lstm>();
  table.cross_entropy = cross_entropy<W>;
  table.dropout = dropout<W>;
  table.gather = gather;
  table.scatter_add = scatter_add;
  table.adam = adam;
  table.sgd = sgd;
  table.rmsprop = rmsprop;
  table.sum_of_squares = sum_of_squares;
  table.multiply_add_chains = multiply_add_chains<W>;
  table.floats_per_repetition = kChains * W;
  return table;
}

}  // namespace
}  // namespace rune::kernels
