#pragma once

#include "kernels/multiply.h"

namespace rune::kernels {
namespace {

/// Elman's recurrent network (1990), PyTorch's nn.RNN: h = tanh(gate) or relu(gate). One slot; as a stage of another
/// cell, slot `Slot` of its `Slots`.
template <bool Relu, std::size_t Slots = 1, std::size_t Slot = 0>
struct Rnn {
  static constexpr std::size_t kSlots = Slots;
  static constexpr std::size_t kProductSlots = 1;

  template <int W>
  static void forward(const CellForward& step) {
    for (std::size_t r = 0; r < step.rows; ++r)
      for (std::size_t j = 0; j < kPanel; j += W) {
        const Vec<W> gate = load<W>(step.gates + r * step.gates_stride + Slot * kPanel + j);
        // NaN must pass: a comparison with it is false.
        store<W>(step.hidden + r * step.stride + j, Relu ? (gate < 0.0F ? Vec<W>{} : gate) : tanh<W>(gate));
      }
  }

  template <int W>
  static void backward(const CellBackward& step) {
    for (std::size_t r = 0; r < step.rows; ++r)
      for (std::size_t j = 0; j < kPanel; j += W) {
        const Vec<W> h = load<W>(step.hidden + r * step.stride + j);
        const Vec<W> dh = load<W>(step.d_hidden + r * step.stride + j);
        store<W>(step.gates + r * step.gates_stride + Slot * kPanel + j,
                 Relu ? (h > 0.0F ? dh : Vec<W>{}) : dh * (1.0F - h * h));
      }
  }
};

}  // namespace
}  // namespace rune::kernels
