#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/utf8.h"

namespace rune::text {

/// Numbers of units: a table by code point for single characters and single bytes, and a hash table for longer units
/// and rare characters.
class UnitIndex {
 public:
  static constexpr std::int32_t kNone = -1;

  /// kNone if it is not there.
  [[nodiscard]] std::int32_t find(std::string_view unit) const;
  /// The same of one character, or of a byte that is part of none (kLoneByte).
  [[nodiscard]] std::int32_t find(char32_t character) const {
    return character < kTable ? single(character) : find(bytes_of(character));
  }
  /// The unit must not be there yet.
  void insert(std::string_view unit, std::int32_t number);

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  /// A character by its code point, a byte that is none; empty for a character beyond the table or a longer unit.
  static std::optional<std::size_t> place_of(std::string_view unit);
  [[nodiscard]] std::int32_t single(std::size_t place) const {
    return pages_[page_of_[place / kPage] * kPage + place % kPage];
  }

  static constexpr std::size_t kTable = 0x10000;  // the characters of nearly all texts
  static constexpr std::size_t kPage = 16;

  // Singles, in pages of neighbours, as far as there are any; the first page is all others.
  std::array<std::uint16_t, kTable / kPage> page_of_{};
  std::vector<std::int32_t> pages_ = std::vector<std::int32_t>(kPage, kNone);
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> others_;
};

}  // namespace rune::text
