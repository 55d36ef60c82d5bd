#include "kernels/packed.h"

#include <algorithm>
#include <functional>
#include <iterator>

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
  // Some rows at a time for all panels, so that the matrix is read row by row; those of a unit block are neighbours.
  constexpr std::size_t kAtOnce = kPanel;
  float together[kAtOnce * kPanel];
  for (std::size_t k = 0; k < depth_; k += kAtOnce) {
    const auto some = rows.subspan(k, std::min(kAtOnce, depth_ - k));
    const bool neighbours = some.front() >= 0 && some.back() == some.front() + std::ssize(some) - 1 &&
                            std::ranges::adjacent_find(some, std::greater_equal()) == some.end();
    for (std::size_t p = begin; p < end; ++p) {
      const std::size_t first = p * kPanel;
      const std::size_t width = first < columns ? std::min(columns - first, kPanel) : 0;
      std::byte* const out = bytes_.data() + p * panel_bytes_ + k * kPanel * kernels_->element_bytes;
      if (neighbours && width > 0) {
        kernels_->pack_rows(matrix + static_cast<std::size_t>(some.front()) * columns + first, columns, width,
                            some.size(), out);
        continue;
      }
      for (std::size_t i = 0; i < some.size(); ++i) {
        const std::size_t real = some[i] < 0 ? 0 : width;
        std::copy_n(matrix + static_cast<std::size_t>(std::max(some[i], 0)) * columns + first, real,
                    together + i * kPanel);
        std::fill_n(together + i * kPanel + real, kPanel - real, 0.0F);
      }
      kernels_->pack_rows(together, kPanel, kPanel, some.size(), out);
    }
  }
}

}  // namespace rune::kernels
