#pragma once

#include "kernels/cell_rnn.h"

namespace rune::kernels {
namespace {

/// The cells of the notebooks' CharLoopModel and CharLoopConcatModel, in two stages. Slots: a (the input product, and
/// that of the inner stage), z (the product with u).
///   loop:         u = h' + relu(a)
///   loop_concat:  u = relu(a)
///   both:         h = tanh(z)
struct LoopInner {
  static constexpr std::size_t kSlots = 2;
  static constexpr std::size_t kProductSlots = 0;  // no product

  template <int W>
  static void forward(const CellForward& step) {
    for (std::size_t r = 0; r < step.rows; ++r)
      for (std::size_t j = 0; j < kPanel; j += W) {
        const std::size_t at = r * step.stride + j;
        const Vec<W> a = load<W>(step.gates + r * step.gates_stride + j);
        // NaN must pass: a comparison with it is false.
        store<W>(step.hidden + at, load<W>(step.previous_hidden + at) + (a < 0.0F ? Vec<W>{} : a));
      }
  }

  template <int W>
  static void backward(const CellBackward& step) {
    for (std::size_t r = 0; r < step.rows; ++r)
      for (std::size_t j = 0; j < kPanel; j += W) {
        const std::size_t at = r * step.stride + j;
        float* gate = step.gates + r * step.gates_stride + j;
        const Vec<W> du = load<W>(step.d_hidden + at);
        store<W>(gate, load<W>(gate) > 0.0F ? du : Vec<W>{});
        if (step.d_previous_hidden != nullptr)
          store<W>(step.d_previous_hidden + at, load<W>(step.d_previous_hidden + at) + du);
      }
  }
};
using LoopConcatInner = Rnn<true, 2, 0>;
using LoopOuter = Rnn<false, 2, 1>;

}  // namespace
}  // namespace rune::kernels
