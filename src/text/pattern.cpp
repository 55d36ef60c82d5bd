#include "text/pattern.h"

#include <rune/error.h>
#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <cstdint>

namespace rune::text {
namespace {

constexpr std::int32_t kTimeLimit = 1000;      // ICU's steps, about a millisecond each
constexpr std::int32_t kStackLimit = 8 << 20;  // bytes

}  // namespace

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

bool Pattern::matches(std::string_view text) {
  const icu::UnicodeString subject =
      icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  UErrorCode status = U_ZERO_ERROR;
  parts_->matcher->reset(subject);
  const bool found = parts_->matcher->matches(status) != 0;
  if (U_FAILURE(status)) {
    throw InputError(parts_->option + " takes too long on a text of " + std::to_string(text.size()) + " bytes (" +
                     u_errorName(status) + "); use a simpler expression");
  }
  return found;
}

}  // namespace rune::text
