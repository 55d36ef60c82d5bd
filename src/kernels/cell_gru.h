#pragma once

#include "kernels/multiply.h"

namespace rune::kernels {
namespace {

/// Gated recurrent unit (Cho et al., arXiv 1406.1078) with the reset after the product, PyTorch's form. Slots: x
/// (input's part of n), r, z, m (recurrent part of n): the input product fills the first three, the recurrent product
/// adds to the last three.
///   n = tanh(x + r * m),  h = n + z * (h' - n)
/// Forward leaves n, r, z, m for backward.
struct Gru {
  static constexpr std::size_t kSlots = 4;
  static constexpr std::size_t kProductSlots = 3;

  template <int W>
  static void forward(const CellForward& step) {
    for (std::size_t row = 0; row < step.rows; ++row) {
      float* gates = step.gates + row * step.gates_stride;
      const std::size_t at = row * step.stride;
      for (std::size_t j = 0; j < kPanel; j += W) {
        const Vec<W> r = sigmoid<W>(load<W>(gates + kPanel + j));
        const Vec<W> z = sigmoid<W>(load<W>(gates + 2 * kPanel + j));
        const Vec<W> m = load<W>(gates + 3 * kPanel + j);
        const Vec<W> n = tanh<W>(load<W>(gates + j) + r * m);
        store<W>(gates + j, n);
        store<W>(gates + kPanel + j, r);
        store<W>(gates + 2 * kPanel + j, z);
        store<W>(step.hidden + at + j, n + z * (load<W>(step.previous_hidden + at + j) - n));
      }
    }
  }

  template <int W>
  static void backward(const CellBackward& step) {
    for (std::size_t row = 0; row < step.rows; ++row) {
      float* gates = step.gates + row * step.gates_stride;
      const std::size_t at = row * step.stride;
      for (std::size_t j = 0; j < kPanel; j += W) {
        const Vec<W> n = load<W>(gates + j);
        const Vec<W> r = load<W>(gates + kPanel + j);
        const Vec<W> z = load<W>(gates + 2 * kPanel + j);
        const Vec<W> m = load<W>(gates + 3 * kPanel + j);
        const Vec<W> dh = load<W>(step.d_hidden + at + j);
        const Vec<W> dx = dh * (1.0F - z) * (1.0F - n * n);
        store<W>(gates + j, dx);
        store<W>(gates + kPanel + j, dx * m * r * (1.0F - r));
        store<W>(gates + 2 * kPanel + j, dh * (load<W>(step.previous_hidden + at + j) - n) * z * (1.0F - z));
        store<W>(gates + 3 * kPanel + j, dx * r);
        if (step.d_previous_hidden != nullptr) {
          float* d_previous = step.d_previous_hidden + at + j;
          store<W>(d_previous, load<W>(d_previous) + dh * z);
        }
      }
    }
  }
};

}  // namespace
}  // namespace rune::kernels
