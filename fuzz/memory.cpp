#include "memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define RUNE_MEASURES_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNE_MEASURES_MEMORY 1
#endif
#endif

#ifdef RUNE_MEASURES_MEMORY
#include <algorithm>

// As in <sanitizer/allocator_interface.h>, which comes with Clang alone; GCC's library has both as well.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                              void (*free_hook)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void* memory);
}

namespace rune::fuzz {
namespace {

thread_local std::ptrdiff_t used = 0;
thread_local std::ptrdiff_t highest = 0;

void allocated(const volatile void*, std::size_t size) {
  used += static_cast<std::ptrdiff_t>(size);
  highest = std::max(highest, used);
}
void freed(const volatile void* memory) {
  if (memory != nullptr) used -= static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(memory));
}

}  // namespace

PeakMemory::PeakMemory() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(allocated, freed);
  static_cast<void>(installed);
  used = 0;
  highest = 0;
}
std::size_t PeakMemory::bytes() const { return static_cast<std::size_t>(highest); }

}  // namespace rune::fuzz

#else

namespace rune::fuzz {

PeakMemory::PeakMemory() = default;
std::size_t PeakMemory::bytes() const { return 0; }

}  // namespace rune::fuzz

#endif
