#include "kernels/packed.h"

#include <algorithm>

namespace rune::kernels {

void PackedMatrix::pack_transposed(const float* matrix, std::size_t stride, std::span<const std::int32_t> rows,
                                   std::size_t begin, std::size_t end) {
  for (std::size_t p = begin; p < end; ++p) {
    const auto panel =
        rows.subspan(std::min(p * kPanel, rows.size())).first(std::min(kPanel, rows.size() - p * kPanel));
    const auto real = static_cast<std::size_t>(std::ranges::find(panel, -1) - panel.begin());
    const std::size_t first = real > 0 ? static_cast<std::size_t>(panel.front()) : 0;
    kernels_->pack_columns(matrix + first * stride, stride, real, depth_, bytes_.data() + p * panel_bytes_);
  }
}

void PackedMatrix::pack_rows(const float* matrix, std::size_t columns, std::span<const std::int32_t> rows,
                             std::size_t begin, std::size_t end) {
  constexpr std::size_t kAtOnce = 32;  // rows that are brought together, 2 KiB
  float together[kAtOnce * kPanel];
  for (std::size_t p = begin; p < end; ++p) {
    const std::size_t first = p * kPanel;
    const std::size_t width = first < columns ? std::min(columns - first, kPanel) : 0;
    for (std::size_t k = 0; k < depth_; k += kAtOnce) {
      const std::size_t now = std::min(kAtOnce, depth_ - k);
      for (std::size_t i = 0; i < now; ++i) {
        const std::int32_t row = rows[k + i];
        const std::size_t real = row < 0 ? 0 : width;
        std::copy_n(matrix + static_cast<std::size_t>(std::max(row, 0)) * columns + first, real, together + i * kPanel);
        std::fill_n(together + i * kPanel + real, kPanel - real, 0.0F);
      }
      kernels_->pack_rows(together, now, bytes_.data() + p * panel_bytes_ + k * kPanel * kernels_->element_bytes);
    }
  }
}

}  // namespace rune::kernels
