#pragma once

#include <cstddef>

namespace rune::fuzz {

/// How much memory this thread's allocations have added since this object was made, at their highest. Only one may
/// exist at a time. Known under AddressSanitizer alone; elsewhere 0.
class PeakMemory {
 public:
  PeakMemory();
  [[nodiscard]] std::size_t bytes() const;
};

}  // namespace rune::fuzz
