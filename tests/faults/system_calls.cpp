#include "faults/system_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

namespace rune::test {
namespace {

Fault fault;
int calls = 0;
const char* struck = "";

// Whether the fault strikes this call; ends the process if that is the fault.
bool strikes(const char* name) {
  ++calls;
  const bool now = fault.at != 0 && (fault.for_ever ? calls >= fault.at : calls == fault.at);
  if (now && *struck == '\0') struck = name;
  if (now && fault.kind == Fault::Kind::exit_before) _exit(0);
  return now;
}

// The call, or its failure.
template <class Call>
auto tried(const char* name, Call call) -> decltype(call()) {
  const bool now = strikes(name);
  if (now && fault.kind == Fault::Kind::error) {
    errno = fault.error;
    return -1;
  }
  const auto result = call();
  if (now && fault.kind == Fault::Kind::exit_after) _exit(0);
  return result;
}

}  // namespace

void inject(const Fault& wanted) {
  fault = wanted;
  calls = 0;
  struck = "";
}

int calls_made() { return calls; }
std::string struck_call() { return struck; }

}  // namespace rune::test

using rune::test::Fault;
using rune::test::tried;

extern "C" {

int __real_open(const char* path, int flags, mode_t mode);
int __real_close(int descriptor);
ssize_t __real_write(int descriptor, const void* bytes, size_t size);
int __real_fsync(int descriptor);
int __real_ftruncate(int descriptor, off_t size);
int __real_rename(const char* from, const char* to);
int __real_link(const char* from, const char* to);
int __real_unlink(const char* path);

int __wrap_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return tried("open", [&] { return __real_open(path, flags, mode); });
}
int __wrap_close(int descriptor) {
  const int result = __real_close(descriptor);  // a descriptor is free even where close fails
  return tried("close", [&] { return result; });
}
ssize_t __wrap_write(int descriptor, const void* bytes, size_t size) {
  return tried("write", [&] {
    const bool halved = rune::test::fault.kind != Fault::Kind::error && !rune::test::struck_call().empty();
    return __real_write(descriptor, bytes, halved ? std::max<size_t>(size / 2, 1) : size);
  });
}
int __wrap_fsync(int descriptor) {
  return tried("fsync", [&] { return __real_fsync(descriptor); });
}
int __wrap_ftruncate(int descriptor, off_t size) {
  return tried("ftruncate", [&] { return __real_ftruncate(descriptor, size); });
}
int __wrap_rename(const char* from, const char* to) {
  return tried("rename", [&] { return __real_rename(from, to); });
}
int __wrap_link(const char* from, const char* to) {
  return tried("link", [&] { return __real_link(from, to); });
}
int __wrap_unlink(const char* path) {
  return tried("unlink", [&] { return __real_unlink(path); });
}

}  // extern "C"
