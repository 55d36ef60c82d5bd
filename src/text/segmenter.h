#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include <rune/options.h>

namespace rune::text {

/// Cuts a text into units, which together are the text again. A byte that is part of no character is a unit of its own.
/// Not thread-safe.
class Segmenter {
 public:
  explicit Segmenter(Unit unit);
  ~Segmenter();
  Segmenter(Segmenter&&) noexcept;
  Segmenter& operator=(Segmenter&&) noexcept;

  /// Where each unit ends. The result is valid until the next call.
  const std::vector<std::size_t>& cut(std::string_view text);
  /// Calls visit(unit) for each.
  void for_each(std::string_view text, const auto& visit) {
    std::size_t begin = 0;
    for (const std::size_t end : cut(text)) {
      visit(text.substr(begin, end - begin));
      begin = end;
    }
  }

 private:
  struct Boundaries;
  void cut_characters(std::string_view text);
  void cut_by_rules(std::string_view text);

  Unit unit_;
  std::unique_ptr<Boundaries> boundaries_;  // of graphemes and words
  std::vector<std::size_t> ends_;
};

}  // namespace rune::text
