#include "base/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <rune/error.h>

namespace rune {
namespace {

std::string folder() {
  const char* const named = std::getenv("TMPDIR");
  return named == nullptr || *named == '\0' ? "/tmp" : named;
}

[[noreturn]] void fail(const char* what) {
  throw FileError(std::string("could not ") + what + " a temporary file in '" + folder() +
                  "': " + std::generic_category().message(errno) + "; TMPDIR names another folder");
}

}  // namespace

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

void Spool::append(std::string_view bytes) {
  size_ += bytes.size();
  if (file_ < 0 && size_ <= most_) {
    memory_ += bytes;
    return;
  }
  if (file_ < 0) {
    std::string name = folder() + "/rune-XXXXXX";
    file_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (file_ < 0) fail("create");
    ::unlink(name.c_str());
    write(memory_);
    memory_ = {};
  }
  write(bytes);
}

void Spool::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail("write");
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string_view Spool::bytes() {
  if (file_ < 0) return memory_;
  if (!mapping_) mapping_.emplace(Mapping::open("/proc/self/fd/" + std::to_string(file_)));
  return mapping_->bytes();
}

}  // namespace rune
