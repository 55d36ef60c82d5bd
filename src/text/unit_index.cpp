#include "text/unit_index.h"

namespace rune::text {

std::optional<std::size_t> UnitIndex::place_of(std::string_view unit) {
  if (unit.empty()) return std::nullopt;
  const Decoded first = decode_at(unit, 0);
  if (first.wrong == nullptr && first.length == unit.size() && first.character < kTable) return first.character;
  if (first.wrong != nullptr && unit.size() == 1) return kLoneByte + static_cast<unsigned char>(unit[0]);
  return std::nullopt;
}

std::int32_t UnitIndex::find(std::string_view unit) const {
  if (const auto place = place_of(unit)) return single(*place);
  const auto found = others_.find(unit);
  return found == others_.end() ? kNone : found->second;
}

void UnitIndex::insert(std::string_view unit, std::int32_t number) {
  if (const auto place = place_of(unit)) {
    std::uint16_t& page = page_of_[*place / kPage];
    if (page == 0) {
      page = static_cast<std::uint16_t>(pages_.size() / kPage);
      pages_.resize(pages_.size() + kPage, kNone);
    }
    pages_[page * kPage + *place % kPage] = number;
  } else {
    others_.emplace(unit, number);
  }
}

}  // namespace rune::text
