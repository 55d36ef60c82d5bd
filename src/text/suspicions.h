#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rune::text {

/// Something in a text that is seldom meant.
struct Suspicion {
  enum class Kind {
    control,      ///< a control character that is no newline or tab
    invisible,    ///< a character without a width or that turns the direction of text
    replacement,  ///< U+FFFD, or a byte that is no character: what a faulty conversion leaves
    unassigned,   ///< no character of Unicode, or for private use
    mojibake,     ///< UTF-8 that was read as windows-1252: "Ã©" for "é"
    look_alike,   ///< a word of Latin letters and of Cyrillic or Greek ones, which look the same
  };
  Kind kind = Kind::control;
  std::int64_t count = 0;
  std::string first{};  // the first of them, as it stands in the text
};

/// Every kind that occurs in a text.
std::vector<Suspicion> find_suspicions(std::string_view text);

}  // namespace rune::text
