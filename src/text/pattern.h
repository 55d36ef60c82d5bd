#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace rune::text {

/// A regular expression in ICU's syntax. Not thread-safe.
class Pattern {
 public:
  /// Throws InputError naming `option` and the place where the expression is wrong.
  Pattern(const std::string& expression, const std::string& option);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  /// Whether it matches the whole text. Throws InputError where that takes more than a bounded time and memory.
  [[nodiscard]] bool matches(std::string_view text);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rune::text
