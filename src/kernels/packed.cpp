#include "kernels/packed.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace rune::kernels {

void PackedMatrix::pack_transposed(const float* matrix, std::size_t stride, std::span<const std::int32_t> rows,
                                   std::size_t begin, std::size_t end) {
  for (std::size_t p = begin; p < end; ++p) {
    const auto panel =
        rows.subspan(std::min(p * kPanel, rows.size())).first(std::min(kPanel, rows.size() - p * kPanel));
    const auto real = static_cast<std::size_t>(std::ranges::find(panel, -1) - panel.begin());
    const std::size_t first = real > 0 ? static_cast<std::size_t>(panel.front()) : 0;
    kernels().pack_panel(matrix + first * stride, stride, real, depth_, values_.data() + p * depth_ * kPanel);
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
