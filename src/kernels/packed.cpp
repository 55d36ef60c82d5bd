#include "kernels/packed.h"

#include <algorithm>

namespace rune::kernels {

void PackedMatrix::pack_transposed(const float* matrix, std::size_t stride, std::span<const std::int32_t> rows,
                                   std::size_t begin, std::size_t end) {
  for (std::size_t p = begin; p < end; ++p) {
    float* out = values_.data() + p * depth_ * kPanel;
    for (std::size_t j = 0; j < kPanel; ++j) {
      const std::size_t c = p * kPanel + j;
      const std::int32_t row = c < rows.size() ? rows[c] : -1;
      const float* in = matrix + static_cast<std::size_t>(std::max(row, 0)) * stride;
      for (std::size_t k = 0; k < depth_; ++k) out[k * kPanel + j] = row < 0 ? 0.0F : in[k];
    }
  }
}

void PackedMatrix::pack_rows(const float* matrix, std::size_t columns, std::span<const std::int32_t> rows,
                             std::size_t begin, std::size_t end) {
  for (std::size_t p = begin; p < end; ++p) {
    float* out = values_.data() + p * depth_ * kPanel;
    const std::size_t first = p * kPanel;
    const std::size_t width = first < columns ? std::min(columns - first, kPanel) : 0;
    for (std::size_t k = 0; k < depth_; ++k) {
      const std::int32_t row = rows[k];
      const std::size_t real = row < 0 ? 0 : width;
      const float* in = matrix + static_cast<std::size_t>(std::max(row, 0)) * columns + first;
      std::copy_n(in, real, out + k * kPanel);
      std::fill_n(out + k * kPanel + real, kPanel - real, 0.0F);
    }
  }
}

}  // namespace rune::kernels
