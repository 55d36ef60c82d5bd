#include "support/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::int64_t> count{0};
std::atomic<std::int64_t> until_failure{0};  // allocations of at least so many bytes; 0: none fails
std::atomic<std::size_t> failing_size{0};

bool fails(std::size_t size) {
  ++count;
  return until_failure > 0 && size >= failing_size && --until_failure == 0;
}

}  // namespace

namespace rune::test {

std::int64_t allocations() { return count; }

void fail_allocation(std::int64_t nth, std::size_t at_least) {
  failing_size = at_least;
  until_failure = nth;
}

bool allocation_failed() { return until_failure == 0; }

}  // namespace rune::test

// The array forms call these; the forms that do not throw stand here too, since sanitizers bring their own.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return fails(size) ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t& /*tag*/) noexcept {
  const auto unit = static_cast<std::size_t>(alignment);
  return fails(size) ? nullptr : std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
}
void* operator new(std::size_t size) {
  if (void* const memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* const memory = operator new(size, alignment, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t& /*tag*/) noexcept { std::free(memory); }
