#pragma once

#include "kernels/multiply.h"

namespace rune::kernels {
namespace {

/// minGRU (Feng et al., arXiv 2410.01201): gates of the input alone, so there is no recurrent product. Slots: z, c.
///   h~ = g(c),  h = h' + z * (h~ - h')
/// with the g of the paper's log-space form: c + 0.5 above 0, sigmoid(c) below, one function that never reaches 0.
/// Forward leaves z and h~ for backward.
struct MinGru {
  static constexpr std::size_t kSlots = 2;
  static constexpr std::size_t kProductSlots = 0;  // no product

  template <int W>
  static void forward(const CellForward& step) {
    for (std::size_t r = 0; r < step.rows; ++r)
      for (std::size_t j = 0; j < kPanel; j += W) {
        float* gates = step.gates + r * step.gates_stride + j;
        const std::size_t at = r * step.stride + j;
        const Vec<W> z = sigmoid<W>(load<W>(gates));
        const Vec<W> c = load<W>(gates + kPanel);
        // NaN must pass: a comparison with it is false.
        const Vec<W> candidate = c < 0.0F ? sigmoid<W>(c) : c + 0.5F;
        const Vec<W> previous = load<W>(step.previous_hidden + at);
        store<W>(gates, z);
        store<W>(gates + kPanel, candidate);
        store<W>(step.hidden + at, previous + z * (candidate - previous));
      }
  }

  template <int W>
  static void backward(const CellBackward& step) {
    for (std::size_t r = 0; r < step.rows; ++r)
      for (std::size_t j = 0; j < kPanel; j += W) {
        float* gates = step.gates + r * step.gates_stride + j;
        const std::size_t at = r * step.stride + j;
        const Vec<W> z = load<W>(gates);
        const Vec<W> candidate = load<W>(gates + kPanel);
        const Vec<W> dh = load<W>(step.d_hidden + at);
        const Vec<W> one = splat<W>(1.0F);
        const Vec<W> slope = candidate < 0.5F ? candidate * (1.0F - candidate) : one;
        store<W>(gates, dh * (candidate - load<W>(step.previous_hidden + at)) * z * (1.0F - z));
        store<W>(gates + kPanel, dh * z * slope);
        if (step.d_previous_hidden != nullptr) {
          float* d_previous = step.d_previous_hidden + at;
          store<W>(d_previous, load<W>(d_previous) + dh * (1.0F - z));
        }
      }
  }
};

}  // namespace
}  // namespace rune::kernels
