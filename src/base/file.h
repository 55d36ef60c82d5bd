#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/matrix.h"

namespace rune {

/// The whole content of a regular file. Throws FileError with path and cause.
std::string read_file(const std::filesystem::path& path);

/// The same of a large one, from a cache line on and without memory that is filled before it is read into.
class FileContent {
 public:
  FileContent() = default;
  static FileContent read(const std::filesystem::path& path);
  /// A copy of bytes that are in memory.
  explicit FileContent(std::string_view bytes);

  [[nodiscard]] std::string_view bytes() const { return {buffer_.data(), size_}; }

 private:
  Buffer<char> buffer_;
  std::size_t size_ = 0;
};

/// Replaces `path` as a whole or not at all: the parts, one after the other, go to a temporary file beside it, which
/// is synced and renamed over `path`; then the directory is synced. A failed sync is never retried. On failure the
/// old file is untouched, the temporary is removed, and a FileError names the file and the cause. The file that is
/// replaced stays as `older`, unless that is empty.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::string_view> parts,
                           const std::filesystem::path& older = {});
void write_file_atomically(const std::filesystem::path& path, std::string_view content);
/// Of parts that are made one after the other, up to the first that is empty.
void write_file_atomically(const std::filesystem::path& path, const std::function<std::string_view()>& next_part);

/// Adds to the end of a file, which need not exist; a symbolic link is not followed. Throws FileError; then a part of
/// it may be there.
void append_to_file(const std::filesystem::path& path, std::string_view content);

/// Cuts a file to a size, where it exists and is longer. Throws FileError.
void cut_file(const std::filesystem::path& path, std::uintmax_t size);

/// Removes what processes left in a directory that ended in the middle of write_file_atomically: where nobody may be
/// writing there all of it, else what belongs to processes that have ended. What cannot be removed stays.
enum class Writers { none, others };
void remove_temporary_files(const std::filesystem::path& directory, Writers writers = Writers::none);
/// Whether there is no process of that number on this machine.
bool has_ended(std::string_view process);

/// A file that one holder at a time has, and that says who it is. It is free again when this object or the process
/// ends, however that ends; the file stays.
class FileLock {
 public:
  /// Throws FileError naming `what` and its holder if it is taken.
  FileLock(const std::filesystem::path& path, const std::string& what);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  struct Held;
  std::unique_ptr<Held> held_;
};

/// The files that processes have a FileLock of at this moment, as the system lists them: looking takes no lock, so that
/// it never stands in the way of one who wants it. Files are told apart by their inode numbers alone, and processes
/// outside this one's container are not listed: good enough to show, while only a FileLock can tell for certain.
class HeldLocks {
 public:
  HeldLocks();
  [[nodiscard]] bool contain(const std::filesystem::path& path) const;

 private:
  std::unordered_set<std::uint64_t> inodes_;
};

}  // namespace rune
