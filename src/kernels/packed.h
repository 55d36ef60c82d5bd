#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/matrix.h"
#include "kernels/products.h"

namespace rune::kernels {

/// The right-hand operand of a product, packed once after each change of the weights: panel p holds columns 16p..16p+15
/// as (depth, 16), the order in which the kernels read it. The layout is the same for every instruction set.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(std::size_t depth, std::size_t panels)
      : values_(depth * panels * kPanel), depth_(depth), panels_(panels) {}

  [[nodiscard]] std::size_t depth() const { return depth_; }
  [[nodiscard]] std::size_t panels() const { return panels_; }
  [[nodiscard]] const float* panel(std::size_t p) const { return values_.data() + p * depth_ * kPanel; }

  /// Column c of the panels [begin, end) becomes row `rows[c]` of a row-major matrix (.., stride): B = W^T. The rows of
  /// a panel are neighbours; those that it does not need are -1, after the others, and become zero.
  void pack_transposed(const float* matrix, std::size_t stride, std::span<const std::int32_t> rows, std::size_t begin,
                       std::size_t end);
  /// Row k of the panels [begin, end) becomes row `rows[k]` of a row-major matrix (.., columns), zero where rows[k] is
  /// negative or past the last column: B = W.
  void pack_rows(const float* matrix, std::size_t columns, std::span<const std::int32_t> rows, std::size_t begin,
                 std::size_t end);

 private:
  Buffer<float> values_;
  std::size_t depth_ = 0;
  std::size_t panels_ = 0;
};

}  // namespace rune::kernels
