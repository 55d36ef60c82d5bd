#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <rune/error.h>

namespace rune {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const fs::path& path, int cause) {
  throw FileError("could not " + what + " '" + path.string() + "': " + std::generic_category().message(cause));
}

template <class Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0)
      : number_(retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); })) {}
  Descriptor() = default;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (is_open()) ::close(number_);
  }

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  /// False, with errno, if the system reports that what was written is lost.
  bool close() { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR; }

 private:
  int number_ = -1;
};

const char* kind(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

void expect_regular(const fs::path& path, mode_t mode) {
  if (S_ISREG(mode)) return;
  throw FileError("expected a regular file, found " + std::string(kind(mode)) + ": '" + path.string() + "'");
}

// A file beside the one that it will replace; removed unless it gets that name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) : target_(target) {
    constexpr int kAttempts = 100;  // names can be taken: left by a process that was killed, or used by another thread
    for (int attempt = 0; attempt < kAttempts && !file_.is_open(); ++attempt) {
      const std::string suffix = attempt == 0 ? "" : "." + std::to_string(attempt);
      path_ = target;
      path_.replace_filename("." + target.filename().string() + "." + std::to_string(::getpid()) + suffix + ".tmp");
      file_ = Descriptor(path_, O_WRONLY | O_CREAT | O_EXCL, 0666);
      if (!file_.is_open() && errno != EEXIST) break;
    }
    if (!file_.is_open()) fail("create the temporary file", path_, errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }

  void write(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written =
          retry_interrupted([&] { return ::write(file_.number(), content.data(), content.size()); });
      if (written < 0) fail("write", target_, errno);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void become_target() {
    if (::fsync(file_.number()) != 0) fail("sync", target_, errno);
    if (!file_.close()) fail("close", target_, errno);
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail("replace", target_, errno);
    renamed_ = true;
  }

 private:
  const fs::path& target_;
  fs::path path_;
  Descriptor file_;
  bool renamed_ = false;
};

void sync_directory_of(const fs::path& path) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor descriptor(directory, O_RDONLY | O_DIRECTORY);
  if (!descriptor.is_open()) fail("open the directory", directory, errno);
  constexpr int kNotSupported = EINVAL;  // some file systems cannot sync a directory
  if (::fsync(descriptor.number()) != 0 && errno != kNotSupported) fail("sync the directory", directory, errno);
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);  // opening a pipe must not wait for its writer
  if (!file.is_open()) fail("open", path, errno);
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) fail("examine", path, errno);
  expect_regular(path, status.st_mode);

  // One byte more than the size, so that the end shows without growing; a file may have grown meanwhile.
  std::string content(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == content.size()) content.resize(2 * size);
    const ssize_t count =
        retry_interrupted([&] { return ::read(file.number(), content.data() + size, content.size() - size); });
    if (count < 0) fail("read", path, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  content.resize(size);
  return content;
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> parts) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) expect_regular(path, status.st_mode);
  TemporaryFile file(path);
  for (const std::string_view part : parts) file.write(part);
  file.become_target();
  sync_directory_of(path);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, std::span(&content, 1));
}

}  // namespace rune
