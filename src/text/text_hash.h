#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace rune::text {

/// XXH3-128 over the code points (little-endian UTF-32) of a text that comes piece by piece; a byte that is part of no
/// character counts as U+DC00 and itself.
class TextHash {
 public:
  TextHash();
  ~TextHash();

  void add(std::string_view text);
  /// 32 hexadecimal digits.
  [[nodiscard]] std::string digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rune::text
