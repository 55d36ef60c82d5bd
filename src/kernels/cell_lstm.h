#pragma once

#include "kernels/multiply.h"

namespace rune::kernels {
namespace {

/// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), PyTorch's form. Slots i f g
/// o.
///   c = f * c' + i * g,  h = o * tanh(c)
/// Forward leaves the activated gates for backward.
struct Lstm {
  static constexpr std::size_t kSlots = 4;
  static constexpr std::size_t kProductSlots = 4;  // slots that the recurrent product adds to

  template <int W>
  static void forward(const CellForward& step) {
    for (std::size_t r = 0; r < step.rows; ++r) {
      float* gates = step.gates + r * step.gates_stride;
      const std::size_t at = r * step.stride;
      for (std::size_t j = 0; j < kPanel; j += W) {
        const Vec<W> i = sigmoid<W>(load<W>(gates + j));
        const Vec<W> f = sigmoid<W>(load<W>(gates + kPanel + j));
        const Vec<W> g = tanh<W>(load<W>(gates + 2 * kPanel + j));
        const Vec<W> o = sigmoid<W>(load<W>(gates + 3 * kPanel + j));
        const Vec<W> c = f * load<W>(step.previous_cell + at + j) + i * g;
        store<W>(gates + j, i);
        store<W>(gates + kPanel + j, f);
        store<W>(gates + 2 * kPanel + j, g);
        store<W>(gates + 3 * kPanel + j, o);
        store<W>(step.cell + at + j, c);
        store<W>(step.hidden + at + j, o * tanh<W>(c));
      }
    }
  }

  template <int W>
  static void backward(const CellBackward& step) {
    for (std::size_t r = 0; r < step.rows; ++r) {
      float* gates = step.gates + r * step.gates_stride;
      const std::size_t at = r * step.stride;
      for (std::size_t j = 0; j < kPanel; j += W) {
        const Vec<W> i = load<W>(gates + j);
        const Vec<W> f = load<W>(gates + kPanel + j);
        const Vec<W> g = load<W>(gates + 2 * kPanel + j);
        const Vec<W> o = load<W>(gates + 3 * kPanel + j);
        const Vec<W> dh = load<W>(step.d_hidden + at + j);
        const Vec<W> tanh_c = tanh<W>(load<W>(step.cell + at + j));
        const Vec<W> dc = load<W>(step.d_cell + at + j) + dh * o * (1.0F - tanh_c * tanh_c);
        store<W>(gates + j, dc * g * i * (1.0F - i));
        store<W>(gates + kPanel + j, dc * load<W>(step.previous_cell + at + j) * f * (1.0F - f));
        store<W>(gates + 2 * kPanel + j, dc * i * (1.0F - g * g));
        store<W>(gates + 3 * kPanel + j, dh * tanh_c * o * (1.0F - o));
        store<W>(step.d_cell + at + j, dc * f);
      }
    }
  }
};

}  // namespace
}  // namespace rune::kernels
