#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace rune {

/// A file as memory: pages come from it when they are read, and can be given back, so that it takes no memory of its
/// own. A file that another process cuts short meanwhile ends this one. Movable.
class Mapping {
 public:
  /// To read. Throws FileError with path and cause.
  static Mapping open(const std::filesystem::path& path);
  /// To read and to change the file's content.
  static Mapping open_to_change(const std::filesystem::path& path);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }
  [[nodiscard]] std::span<char> mutable_bytes() { return {data_, size_}; }

 private:
  Mapping(const std::filesystem::path& path, bool change);

  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace rune
