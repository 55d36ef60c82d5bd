#include "text/unit_index.h"

#include <optional>

#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr std::size_t kTable = 0x10000;  // the characters of nearly all texts
constexpr std::size_t kBytes = 0xDC00;   // among the surrogates, which no text has

/// A character by its code point, a byte that is none; empty for a character beyond the table or a longer unit.
std::optional<std::size_t> place_of(std::string_view unit) {
  if (unit.empty()) return std::nullopt;
  const Decoded first = decode_at(unit, 0);
  if (first.wrong == nullptr && first.length == unit.size() && first.character < kTable) return first.character;
  if (first.wrong != nullptr && unit.size() == 1) return kBytes + static_cast<unsigned char>(unit[0]);
  return std::nullopt;
}

}  // namespace

std::int32_t UnitIndex::find(std::string_view unit) const {
  if (unit.size() == 1) {  // ASCII: most units of most texts
    const auto byte = static_cast<unsigned char>(unit.front());
    if (byte < 0x80) return byte < singles_.size() ? singles_[byte] : kNone;
  }
  if (const auto place = place_of(unit)) return *place < singles_.size() ? singles_[*place] : kNone;
  const auto found = others_.find(unit);
  return found == others_.end() ? kNone : found->second;
}

void UnitIndex::insert(std::string_view unit, std::int32_t number) {
  if (const auto place = place_of(unit)) {
    if (*place >= singles_.size()) singles_.resize(*place + 1, kNone);
    singles_[*place] = number;
  } else {
    others_.emplace(unit, number);
  }
}

}  // namespace rune::text
