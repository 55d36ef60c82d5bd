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

  void push_back(std::int32_t token) {
    tokens_.push_back(token);
    if (!in_memory() && tokens_.size() >= kBuffer) flush();
  }
  /// token(0), token(1), ..., token(count - 1).
  void append(std::size_t count, const auto& token) {
    const std::size_t before = tokens_.size();
    tokens_.resize(before + count);
    std::int32_t* const to = tokens_.data() + before;
    for (std::size_t i = 0; i < count; ++i) to[i] = token(i);
    if (!in_memory() && tokens_.size() >= kBuffer) flush();
  }
  /// Makes room for about so many, so that tokens in memory need not move.
  void expect(std::size_t count);
  [[nodiscard]] std::size_t size() const { return flushed_ + tokens_.size(); }
  [[nodiscard]] bool in_memory() const { return path_.empty(); }
  /// Ends appending.
  std::span<std::int32_t> all();
  /// The first `size` of them.
  Tokens finish(std::size_t size);

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 18;  // tokens

  void flush();

  std::filesystem::path path_;  // empty: in memory
  std::ofstream file_;
  std::vector<std::int32_t> tokens_;    // all, or those that are not in the file yet
  std::shared_ptr<Mapping> mapping_{};  // of the file
  std::size_t flushed_ = 0;             // of them, that are in the file
};

}  // namespace rune::text
