#include "text/unicode.h"

#include <rune/error.h>
#include <unicode/locid.h>
#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <cstdint>

namespace rune::text {
namespace {

constexpr std::int32_t kTimeLimit = 1000;             // ICU's steps, about a millisecond each
constexpr std::int32_t kStackLimit = 8 << 20;         // bytes
constexpr std::size_t kChunk = std::size_t{1} << 24;  // characters that become UTF-16 at a time

icu::UnicodeString to_icu(std::u32string_view text) {
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       static_cast<std::int32_t>(text.size()));
}

void append(std::u32string& out, const icu::UnicodeString& text) {
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    out += static_cast<char32_t>(text.char32At(i));
  }
}

// The last place to cut at or before `limit` where no word and no sigma's surroundings are torn apart.
std::size_t cut_before(std::u32string_view text, std::size_t limit) {
  const std::size_t line = text.substr(0, limit).find_last_of(U"\n ");
  return line == std::u32string_view::npos || line == 0 ? limit : line;
}

}  // namespace

std::u32string lowercase(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = text.size() <= kChunk ? text.size() : cut_before(text, kChunk);
    append(result, to_icu(text.substr(0, length)).toLower(icu::Locale::getRoot()));
    text.remove_prefix(length);
  }
  return result;
}

struct Pattern::Parts {
  std::string option;
  std::unique_ptr<icu::RegexPattern> pattern;
  std::unique_ptr<icu::RegexMatcher> matcher;  // uses the pattern
};

Pattern::Pattern(const std::string& expression, const std::string& option) : parts_(std::make_unique<Parts>()) {
  UErrorCode status = U_ZERO_ERROR;
  UParseError where{};
  parts_->option = option;
  parts_->pattern.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(expression), 0, where, status));
  if (U_FAILURE(status)) {
    throw InputError("expected " + option + " to be a regular expression, found '" + expression +
                     "', wrong at character " + std::to_string(where.offset) + ": " + u_errorName(status));
  }
  parts_->matcher.reset(parts_->pattern->matcher(status));
  if (U_SUCCESS(status)) parts_->matcher->setTimeLimit(kTimeLimit, status);
  if (U_SUCCESS(status)) parts_->matcher->setStackLimit(kStackLimit, status);
  if (U_FAILURE(status)) throw InputError(option + " could not be used: " + u_errorName(status));
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

bool Pattern::matches(std::u32string_view text) {
  const icu::UnicodeString subject = to_icu(text);
  UErrorCode status = U_ZERO_ERROR;
  parts_->matcher->reset(subject);
  const bool found = parts_->matcher->matches(status) != 0;
  if (U_FAILURE(status)) {
    throw InputError(parts_->option + " takes too long on a text of " + std::to_string(text.size()) + " characters (" +
                     u_errorName(status) + "); use a simpler expression");
  }
  return found;
}

}  // namespace rune::text
