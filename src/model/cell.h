#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "kernels/kernels.h"
#include "rune/options.h"

namespace rune::model {

/// An inner stage makes u, with which the recurrent product is made in place of h'.
enum class Inner {
  none,
  sum,      // of h' and the gates
  product,  // of the gates, to which W_uh * h' is added where the input product stands
};

/// What a layer must know of a cell. A unit block's gates are kept as `slots` runs of 16 columns; the input product
/// fills the slots from `input_first` on, the recurrent product adds to those from `hidden_first` on, each with
/// PyTorch's gates in the order given.
struct CellTraits {
  Cell cell;
  std::string_view name;  // prefix of the parameter names
  std::size_t gates;      // in PyTorch's weights
  std::size_t slots;
  std::size_t input_first;
  std::array<int, 4> input_gates;  // `gates` of them
  std::size_t hidden_first;
  std::array<int, 4> hidden_gates;
  bool has_cell_state;
  Inner inner = Inner::none;
  bool recurrent = true;  // whether there is a recurrent product; without, neither weight_hh nor bias_hh
};

/// The table of cells. The pointwise parts stand in kernels/cell_*.h.
inline constexpr std::array<CellTraits, 6> kCells{{
    {.cell = Cell::rnn,
     .name = "rnn",
     .gates = 1,
     .slots = 1,
     .input_first = 0,
     .input_gates = {0},
     .hidden_first = 0,
     .hidden_gates = {0},
     .has_cell_state = false},
    // x r z m: the input product gives x r z, the recurrent product r z m (PyTorch: r z n).
    {.cell = Cell::gru,
     .name = "gru",
     .gates = 3,
     .slots = 4,
     .input_first = 0,
     .input_gates = {2, 0, 1},
     .hidden_first = 1,
     .hidden_gates = {0, 1, 2},
     .has_cell_state = false},
    // i f g o
    {.cell = Cell::lstm,
     .name = "lstm",
     .gates = 4,
     .slots = 4,
     .input_first = 0,
     .input_gates = {0, 1, 2, 3},
     .hidden_first = 0,
     .hidden_gates = {0, 1, 2, 3},
     .has_cell_state = true},
    // a z
    {.cell = Cell::loop,
     .name = "loop",
     .gates = 1,
     .slots = 2,
     .input_first = 0,
     .input_gates = {0},
     .hidden_first = 1,
     .hidden_gates = {0},
     .has_cell_state = false,
     .inner = Inner::sum},
    // a z
    {.cell = Cell::loop_concat,
     .name = "loop_concat",
     .gates = 1,
     .slots = 2,
     .input_first = 0,
     .input_gates = {0},
     .hidden_first = 1,
     .hidden_gates = {0},
     .has_cell_state = false,
     .inner = Inner::product},
    // z c
    {.cell = Cell::mingru,
     .name = "mingru",
     .gates = 2,
     .slots = 2,
     .input_first = 0,
     .input_gates = {0, 1},
     .hidden_first = 0,
     .hidden_gates = {},
     .has_cell_state = false,
     .recurrent = false},
}};

constexpr const CellTraits& traits_of(Cell cell) { return kCells[static_cast<std::size_t>(cell)]; }

/// The pointwise kernels of a model's cell.
constexpr kernels::CellKind kernel_of(const ModelOptions& options) {
  switch (options.cell) {
    case Cell::rnn:
      return options.nonlinearity == Nonlinearity::relu ? kernels::CellKind::rnn_relu : kernels::CellKind::rnn_tanh;
    case Cell::gru:
      return kernels::CellKind::gru;
    case Cell::loop:
      return kernels::CellKind::loop;
    case Cell::loop_concat:
      return kernels::CellKind::loop_concat;
    case Cell::mingru:
      return kernels::CellKind::mingru;
    case Cell::lstm:
      break;
  }
  return kernels::CellKind::lstm;
}

}  // namespace rune::model
