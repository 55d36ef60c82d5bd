#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/mapping.h"
#include "text/tokens.h"

namespace rune::text {

/// Tokens as they are made: in memory, or in a file, which takes no memory. First all are appended, then they may be
/// changed, then they are final.
class TokenStore {
 public:
  TokenStore() = default;
  /// In a file that is made anew.
  explicit TokenStore(std::filesystem::path file);

  void push_back(std::int32_t token);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool in_memory() const { return path_.empty(); }
  /// Ends appending.
  std::span<std::int32_t> all();
  /// The first `size` of them.
  Tokens finish(std::size_t size);

 private:
  void flush();

  std::filesystem::path path_;  // empty: in memory
  std::ofstream file_;
  std::vector<std::int32_t> tokens_;    // all, or those that are not in the file yet
  std::shared_ptr<Mapping> mapping_{};  // of the file
  std::size_t size_ = 0;
};

}  // namespace rune::text
