#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/matrix.h"
#include "kernels/kernels.h"
#include "kernels/products.h"

namespace rune::kernels {

/// The right-hand operand of a product, packed once after each change of the weights: panel p holds columns 16p..16p+15
/// as (depth, 16), in the form and the order in which the kernels read it.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(const Kernels& kernels, std::size_t depth, std::size_t panels)
      : kernels_(&kernels),
        depth_(depth),
        panels_(panels),
        panel_bytes_(round_up(depth, kernels.depth_multiple) * kPanel * kernels.element_bytes),
        bytes_(panels * panel_bytes_) {}

  [[nodiscard]] std::size_t depth() const { return depth_; }
  [[nodiscard]] std::size_t panels() const { return panels_; }
  [[nodiscard]] Panels from(std::size_t panel) const { return Panels{bytes_.data(), panel_bytes_}.from(panel); }

  /// Column c of the panels [begin, end) becomes row `rows[c]` of a row-major matrix (.., stride): B = W^T. The rows of
  /// a panel are neighbours; those that it does not need are -1, after the others, and become zero.
  void pack_transposed(const float* matrix, std::size_t stride, std::span<const std::int32_t> rows, std::size_t begin,
                       std::size_t end);
  /// Row k of the panels [begin, end) becomes row `rows[k]` of a row-major matrix (.., columns), zero where rows[k] is
  /// negative or past the last column: B = W.
  void pack_rows(const float* matrix, std::size_t columns, std::span<const std::int32_t> rows, std::size_t begin,
                 std::size_t end);

 private:
  const Kernels* kernels_ = nullptr;
  std::size_t depth_ = 0;
  std::size_t panels_ = 0;
  std::size_t panel_bytes_ = 0;
  Buffer<std::byte> bytes_;
};

}  // namespace rune::kernels
