#include "base/matrix.h"

#include <sys/mman.h>

namespace rune {

void* allocate_zeroed(std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  // Weights and activations are walked from end to end: with huge pages, a training step of system A is about 5 %
  // faster.
  const bool large = bytes >= 2 * kHugePage;
  void* const memory =
      large ? std::aligned_alloc(kHugePage, round_up(bytes, kHugePage)) : std::aligned_alloc(kCacheLine, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);  // only a hint: its result does not matter
  std::memset(memory, 0, bytes);
  return memory;
}

}  // namespace rune
