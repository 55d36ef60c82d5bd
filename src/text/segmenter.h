#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include <rune/options.h>

#include "text/utf8.h"

namespace rune::text {

/// Cuts a text into units, which together are the text again. A byte that is part of no character is a unit of its own.
/// Not thread-safe.
class Segmenter {
 public:
  explicit Segmenter(Unit unit);
  ~Segmenter();
  Segmenter(Segmenter&&) noexcept;
  Segmenter& operator=(Segmenter&&) noexcept;

  /// Calls visit(unit) for each.
  void for_each(std::string_view text, const auto& visit) {
    if (unit_ == Unit::byte || unit_ == Unit::character) {
      while (!text.empty()) {
        const std::size_t length = unit_ == Unit::byte ? 1 : character_length(text);
        visit(text.substr(0, length));
        text.remove_prefix(length);
      }
      return;
    }
    std::size_t begin = 0;
    for (const std::size_t end : cut_by_rules(text)) {
      visit(text.substr(begin, end - begin));
      begin = end;
    }
  }

 private:
  struct Boundaries;
  // A byte that is part of no character counts as one.
  static std::size_t character_length(std::string_view text) {
    const Decoded first = decode_at(text, 0);
    return first.wrong == nullptr ? first.length : 1;
  }
  // Where each unit ends.
  const std::vector<std::size_t>& cut_by_rules(std::string_view text);

  Unit unit_;
  std::unique_ptr<Boundaries> boundaries_;  // of graphemes and words
  std::vector<std::size_t> ends_;
};

}  // namespace rune::text
