#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/mapping.h"

namespace rune {

/// Bytes that come piece by piece and are then read as one: in memory while they are few, else in a file without a name
/// in the folder for temporary files ($TMPDIR, else /tmp), which is gone with this object.
class Spool {
 public:
  explicit Spool(std::size_t most_in_memory) : most_(most_in_memory) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Throws FileError where the file cannot be made or written.
  void append(std::string_view bytes);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// All of them; ends appending. Valid as long as this object.
  [[nodiscard]] std::string_view bytes();

 private:
  void write(std::string_view bytes);

  std::size_t most_;
  std::size_t size_ = 0;
  std::string memory_;
  int file_ = -1;
  std::optional<Mapping> mapping_;
};

}  // namespace rune
