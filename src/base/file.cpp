#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <regex>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <rune/error.h>

namespace rune {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const fs::path& path, int cause) {
  throw FileError("could not " + what + " '" + path.string() + "': " + std::generic_category().message(cause));
}

template <class Call>
auto retry_interrupted(Call call) {
  constexpr int kAttempts = 1000;  // an end, should a system do nothing but interrupt
  auto result = call();
  for (int attempt = 1; attempt < kAttempts && result < 0 && errno == EINTR; ++attempt) result = call();
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
  if (S_ISLNK(mode)) return "a symbolic link";
  return "a device";
}

void expect_regular(const fs::path& path, mode_t mode) {
  if (S_ISREG(mode)) return;
  throw FileError("expected a regular file, found " + std::string(kind(mode)) + ": '" + path.string() + "'");
}

/// A file that is written to where it lies. No link is followed: a directory from a stranger could lead anywhere.
Descriptor open_to_write(const fs::path& path, int flags) {
  Descriptor file(path, flags | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (file.is_open()) return file;
  if (errno == ELOOP) throw FileError("expected a regular file, found a symbolic link: '" + path.string() + "'");
  fail("open", path, errno);
}

void write_all(const Descriptor& file, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = retry_interrupted([&] { return ::write(file.number(), content.data(), content.size()); });
    if (written <= 0) fail("write", path, written == 0 ? ENOSPC : errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Gives a file a second name. Where the file system has no links, it gets that name alone; a file that is not there
// needs none.
void keep_as(const fs::path& path, const fs::path& name) {
  int result = ::link(path.c_str(), name.c_str());
  if (result != 0 && errno == EEXIST && ::unlink(name.c_str()) == 0) result = ::link(path.c_str(), name.c_str());
  if (result != 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)) {
    result = ::rename(path.c_str(), name.c_str());
  }
  if (result != 0 && errno != ENOENT) fail("keep the older file as", name, errno);
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

  void write(std::string_view content) { write_all(file_, content, target_); }

  void become_target(const fs::path& older) {
    if (::fsync(file_.number()) != 0) fail("sync", target_, errno);
    if (!file_.close()) fail("close", target_, errno);
    if (!older.empty()) keep_as(target_, older);
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

// As write_file_atomically, of parts up to the first that is empty.
void replace(const fs::path& path, const fs::path& older, const std::function<std::string_view()>& next_part) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) == 0) {
    expect_regular(path, status.st_mode);
    constexpr mode_t kWritable = S_IWUSR | S_IWGRP | S_IWOTH;  // a rename would not ask
    if ((status.st_mode & kWritable) == 0) fail("replace the read-only file", path, EACCES);
  }
  TemporaryFile file(path);
  for (std::string_view part = next_part(); !part.empty(); part = next_part()) file.write(part);
  file.become_target(older);
  sync_directory_of(path);
}

/// Reads a whole regular file to where room(size) says that so many bytes have room, those that it had among them.
/// Returns the size of the file, for which it has asked last.
std::size_t read_all(const fs::path& path, const std::function<char*(std::size_t)>& room) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);  // opening a pipe must not wait for its writer
  if (!file.is_open()) fail("open", path, errno);
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) fail("examine", path, errno);
  expect_regular(path, status.st_mode);

  // One byte more than the size, so that the end shows without growing or another call. A file may have grown
  // meanwhile, and some of the system's own say that they have none.
  const auto expected = static_cast<std::size_t>(status.st_size);
  std::size_t capacity = expected + 1;
  char* content = room(capacity);
  std::size_t size = 0;
  for (bool more = true; more;) {
    if (size == capacity) content = room(capacity *= 2);
    const ssize_t count = retry_interrupted([&] { return ::read(file.number(), content + size, capacity - size); });
    if (count < 0) fail("read", path, errno);
    size += static_cast<std::size_t>(count);
    more = count > 0 && (expected == 0 || size < expected || size == capacity);
  }
  room(size);
  return size;
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::string content;
  read_all(path, [&](std::size_t size) {
    content.resize(size);
    return content.data();
  });
  return content;
}

FileContent FileContent::read(const fs::path& path) {
  FileContent content;
  content.size_ = read_all(path, [&](std::size_t size) {
    if (size <= content.buffer_.size()) return content.buffer_.data();
    Buffer<char> larger(size);
    std::ranges::copy(content.buffer_.span(), larger.data());
    content.buffer_ = std::move(larger);
    return content.buffer_.data();
  });
  return content;
}

FileContent::FileContent(std::string_view bytes) : buffer_(bytes.size()), size_(bytes.size()) {
  std::ranges::copy(bytes, buffer_.data());
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> parts, const fs::path& older) {
  auto part = parts.begin();
  replace(path, older, [&] {
    while (part != parts.end() && part->empty()) ++part;
    return part == parts.end() ? std::string_view() : *part++;
  });
}

void write_file_atomically(const fs::path& path, const std::function<std::string_view()>& next_part) {
  replace(path, {}, next_part);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, std::span(&content, 1));
}

void append_to_file(const fs::path& path, std::string_view content) {
  Descriptor file = open_to_write(path, O_WRONLY | O_CREAT | O_APPEND);
  write_all(file, content, path);
  if (!file.close()) fail("close", path, errno);
}

void cut_file(const fs::path& path, std::uintmax_t size) {
  if (!fs::exists(fs::symlink_status(path))) return;
  Descriptor file = open_to_write(path, O_WRONLY);
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) fail("examine", path, errno);
  if (static_cast<std::uintmax_t>(status.st_size) <= size) return;
  if (::ftruncate(file.number(), static_cast<off_t>(size)) != 0) fail("cut", path, errno);
  if (!file.close()) fail("close", path, errno);
}

void remove_temporary_files(const fs::path& directory, Writers writers) {
  static const std::regex kName(R"(\..+?\.(\d+)(\.\d+)?\.tmp)");  // as TemporaryFile makes them
  std::error_code ignored;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    std::smatch parts;
    if (!std::regex_match(name, parts, kName)) continue;
    if (writers == Writers::none || has_ended(parts.str(1))) found.push_back(entry.path());
  }
  for (const fs::path& path : found) fs::remove(path, ignored);
}

bool has_ended(std::string_view process) {
  pid_t number = 0;
  const auto [end, error] = std::from_chars(process.data(), process.data() + process.size(), number);
  return error == std::errc() && number > 0 && ::kill(number, 0) != 0 && errno == ESRCH;
}

struct FileLock::Held {
  Descriptor file;
};

FileLock::FileLock(const fs::path& path, const std::string& what)
    : held_(std::make_unique<Held>(Held{open_to_write(path, O_RDWR | O_CREAT)})) {
  const Descriptor& file = held_->file;
  if (retry_interrupted([&] { return ::flock(file.number(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) fail("lock", path, errno);
    std::string holder = read_file(path);
    while (holder.ends_with('\n')) holder.pop_back();
    throw FileError(what + " is in use by " + (holder.empty() ? "another process" : holder) +
                    "; wait until it ends, or stop it");
  }
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (::ftruncate(file.number(), 0) != 0) fail("write", path, errno);
  write_all(file,
            fmt::format("process {} on {} since {:%Y-%m-%d %H:%M:%S} UTC\n", ::getpid(), host.data(), fmt::gmtime(now)),
            path);
}

FileLock::~FileLock() = default;

// A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 15700 00:1b:235308 0 EOF", the inode behind the second colon.
HeldLocks::HeldLocks() {
  std::ifstream list("/proc/locks");
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, process, file;
    words >> number >> kind >> advisory >> mode >> process >> file;
    if (kind != "FLOCK") continue;
    std::uint64_t inode = 0;
    const char* const digits = file.data() + file.rfind(':') + 1;
    if (std::from_chars(digits, file.data() + file.size(), inode).ec == std::errc()) inodes_.insert(inode);
  }
}

bool HeldLocks::contain(const fs::path& path) const {
  if (inodes_.empty()) return false;
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && inodes_.contains(status.st_ino);
}

}  // namespace rune
