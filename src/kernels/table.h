#pragma once

#include "kernels/cell_gru.h"
#include "kernels/cell_loop.h"
#include "kernels/cell_lstm.h"
#include "kernels/cell_rnn.h"
#include "kernels/multiply.h"
#include "kernels/pointwise.h"

/// Makes the function table of one instruction set out of the templates.
namespace rune::kernels {
namespace {

/// One step of a stage, unit block by unit block, so that the gates are still in the first-level cache when they are
/// activated:
/// 1. gates += h' * W_hh for the block's panels
/// 2. the pointwise part of the block's 16 units
template <class Isa, class Stage>
void stage_step(const Product& product, const CellForward& forward, std::size_t unit_blocks) {
  Product block_product = product;
  CellForward block = forward;
  const std::size_t panel_size = product.groups * product.group_depth * kPanel;
  block_product.panels = Stage::kProductSlots;
  for (std::size_t u = 0; u < unit_blocks; ++u) {
    if constexpr (Stage::kProductSlots > 0) multiply<Isa, float>(block_product);
    Stage::template forward<Isa::kWidth>(block);
    block_product.b += Stage::kProductSlots * panel_size;
    block_product.columns.first += Stage::kSlots * kPanel;
    block.gates += Stage::kSlots * kPanel;
    block.hidden += kPanel;
    if (block.previous_hidden != nullptr) block.previous_hidden += kPanel;
    if (block.cell != nullptr) {
      block.previous_cell += kPanel;
      block.cell += kPanel;
    }
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

template <class Isa, class Stage>
constexpr StageKernels stage() {
  return {stage_step<Isa, Stage>, stage_backward<Isa, Stage>};
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

template <class Isa>
constexpr Kernels make_kernels() {
  constexpr int W = Isa::kWidth;
  Kernels table{};
  table.isa = Isa::kIsa;
  table.multiply = multiply<Isa, float>;
  table.outer_product = outer_product<Isa>;
  const auto set_cell = [&](CellKind kind, StageKernels outer, StageKernels inner = {}) {
    table.cells[static_cast<std::size_t>(kind)] = {outer, inner};
  };
  set_cell(CellKind::rnn_tanh, stage<Isa, Rnn<false>>());
  set_cell(CellKind::rnn_relu, stage<Isa, Rnn<true>>());
  set_cell(CellKind::gru, stage<Isa, Gru>());
  set_cell(CellKind::lstm, stage<Isa, Lstm>());
  set_cell(CellKind::loop, stage<Isa, LoopOuter>(), stage<Isa, LoopInner>());
  set_cell(CellKind::loop_concat, stage<Isa, LoopOuter>(), stage<Isa, LoopConcatInner>());
  table.cross_entropy = cross_entropy<W>;
  table.exponentials = exponentials<W>;
  table.dropout = dropout<W>;
  table.gather = gather;
  table.scatter_add = scatter_add;
  table.pack_panel = pack_panel<W>;
  table.adam = adam;
  table.sgd = sgd;
  table.rmsprop = rmsprop;
  table.sum_of_squares = sum_of_squares;
  table.multiply_add_chains = multiply_add_chains<W>;
  table.floats_per_repetition = kChains * W;
  table.read = read<W>;
  return table;
}

}  // namespace
}  // namespace rune::kernels
