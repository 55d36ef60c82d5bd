// Loaded before the C library (LD_PRELOAD), to let the memory of a program end at one allocation.
//
//   RUNE_MEMORY_ENDS_AT=N        the N-th allocation fails; from then on there is no more memory than at that moment
//   RUNE_ALLOCATIONS_FILE=FILE   gets the number of all allocations when the program ends
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);
}

namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

std::atomic<std::int64_t> allocations{0};
std::atomic<std::int64_t> bytes{0};  // in use
std::atomic<std::int64_t> limit{kUnlimited};

std::int64_t last_allocation() {
  static const std::int64_t kLast = [] {
    const char* const text = std::getenv("RUNE_MEMORY_ENDS_AT");
    return text == nullptr ? std::int64_t{0} : std::atoll(text);
  }();
  return kLast;
}

bool refused(std::size_t size) {
  if (++allocations == last_allocation()) limit = bytes.load();
  if (limit == kUnlimited || bytes + static_cast<std::int64_t>(size) <= limit) return false;
  errno = ENOMEM;
  return true;
}

void* counted(void* memory) {
  if (memory != nullptr) bytes += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}

__attribute__((destructor)) void report() {
  const char* const file = std::getenv("RUNE_ALLOCATIONS_FILE");
  if (file == nullptr) return;
  const int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  dprintf(descriptor, "%lld\n", static_cast<long long>(allocations.load()));
  close(descriptor);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return refused(size) ? nullptr : counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) {
  return refused(count * size) ? nullptr : counted(__libc_calloc(count, size));
}
void* memalign(std::size_t alignment, std::size_t size) {
  return refused(size) ? nullptr : counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (memory != nullptr) bytes -= static_cast<std::int64_t>(malloc_usable_size(memory));
  __libc_free(memory);
}
void* realloc(void* memory, std::size_t size) {
  const std::size_t before = memory == nullptr ? 0 : malloc_usable_size(memory);
  if (refused(size > before ? size - before : 0)) return nullptr;
  bytes -= static_cast<std::int64_t>(before);
  return counted(__libc_realloc(memory, size));
}

}  // extern "C"
