#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rune {

/// XXH3-128 of bytes that come in pieces: finds accidents, not forgers.
class Hash {
 public:
  Hash();
  ~Hash();
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void update(std::string_view bytes);
  /// Of all bytes so far: 32 hexadecimal digits, the canonical form.
  [[nodiscard]] std::string digits() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3-64 of bytes, the same on every machine of its byte order.
std::uint64_t hash64(std::string_view bytes);

}  // namespace rune
