#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace rune::text {

inline std::uint64_t hash_of(std::span<const std::int32_t> tokens) {
  return hash64({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()});
}

/// The tokens of a text, which do not change any more. Copies and parts share them.
class Tokens {
 public:
  Tokens() = default;
  Tokens(std::vector<std::int32_t> tokens)  // NOLINT(google-explicit-constructor): a vector of tokens is tokens
      : Tokens(std::make_shared<const std::vector<std::int32_t>>(std::move(tokens))) {}
  /// Those that stay where they are as long as their owner lives.
  Tokens(std::span<const std::int32_t> tokens, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)), tokens_(tokens) {}

  [[nodiscard]] std::size_t size() const { return tokens_.size(); }
  [[nodiscard]] bool empty() const { return tokens_.empty(); }
  [[nodiscard]] const std::int32_t* data() const { return tokens_.data(); }
  [[nodiscard]] const std::int32_t* begin() const { return tokens_.data(); }
  [[nodiscard]] const std::int32_t* end() const { return tokens_.data() + tokens_.size(); }
  [[nodiscard]] std::int32_t operator[](std::size_t i) const { return tokens_[i]; }
  [[nodiscard]] Tokens part(std::size_t first, std::size_t count) const {
    return {tokens_.subspan(first, count), owner_};
  }

 private:
  explicit Tokens(const std::shared_ptr<const std::vector<std::int32_t>>& tokens) : Tokens(*tokens, tokens) {}

  std::shared_ptr<const void> owner_;
  std::span<const std::int32_t> tokens_;
};

}  // namespace rune::text
