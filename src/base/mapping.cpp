#include "base/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <rune/error.h>

namespace rune {

namespace fs = std::filesystem;

Mapping Mapping::open(const fs::path& path) { return {path, false}; }
Mapping Mapping::open_to_change(const fs::path& path) { return {path, true}; }

Mapping::Mapping(const fs::path& path, bool change) {
  const auto fail = [&](const char* what) {
    throw FileError(std::string("could not ") + what + " '" + path.string() +
                    "': " + std::generic_category().message(errno));
  };
  const int file = ::open(path.c_str(), (change ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (file < 0) fail("open");
  struct stat status = {};
  void* memory = nullptr;
  const bool examined = ::fstat(file, &status) == 0;
  if (examined && status.st_size > 0) {
    memory = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | (change ? PROT_WRITE : 0),
                    MAP_SHARED, file, 0);
  }
  const int cause = errno;
  ::close(file);
  errno = cause;
  if (!examined) fail("examine");
  if (memory == MAP_FAILED) fail("map");
  if (memory == nullptr) return;  // an empty file
  data_ = static_cast<char*>(memory);
  size_ = static_cast<std::size_t>(status.st_size);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace rune
