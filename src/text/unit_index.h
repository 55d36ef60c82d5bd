#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rune::text {

/// Numbers of units: a table by code point for single characters and single bytes, and a hash table for longer units
/// and rare characters.
class UnitIndex {
 public:
  static constexpr std::int32_t kNone = -1;

  /// kNone if it is not there.
  [[nodiscard]] std::int32_t find(std::string_view unit) const;
  /// The unit must not be there yet.
  void insert(std::string_view unit, std::int32_t number);

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::vector<std::int32_t> singles_;  // up to the greatest that there is
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> others_;
};

}  // namespace rune::text
