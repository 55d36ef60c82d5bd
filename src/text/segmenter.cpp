#include "text/segmenter.h"

#include <rune/error.h>
#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/utext.h>

#include <cstdint>
#include <string>

namespace rune::text {
namespace {

constexpr std::size_t kLongest = std::size_t{1} << 30;  // bytes that ICU can count

}  // namespace

struct Segmenter::Boundaries {
  std::unique_ptr<icu::BreakIterator> iterator;
};

Segmenter::Segmenter(Unit unit) : unit_(unit) {
  if (unit == Unit::character || unit == Unit::byte) return;
  UErrorCode status = U_ZERO_ERROR;
  boundaries_ = std::make_unique<Boundaries>();
  boundaries_->iterator.reset(unit == Unit::word
                                  ? icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status)
                                  : icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) throw InputError(std::string("ICU has no rules for units: ") + u_errorName(status));
}
Segmenter::~Segmenter() = default;
Segmenter::Segmenter(Segmenter&&) noexcept = default;
Segmenter& Segmenter::operator=(Segmenter&&) noexcept = default;

const std::vector<std::size_t>& Segmenter::cut_by_rules(std::string_view text) {
  ends_.clear();
  if (text.size() > kLongest) throw InputError("expected less than a gigabyte of text at a time, found more");
  UErrorCode status = U_ZERO_ERROR;
  UText* const view = utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status);
  icu::BreakIterator& iterator = *boundaries_->iterator;
  iterator.setText(view, status);
  utext_close(view);  // the iterator has its own
  if (U_FAILURE(status)) throw InputError(std::string("a text could not be cut into units: ") + u_errorName(status));
  for (std::int32_t end = iterator.next(); end != icu::BreakIterator::DONE; end = iterator.next()) {
    ends_.push_back(static_cast<std::size_t>(end));
  }
  return ends_;
}

}  // namespace rune::text
