#pragma once

#include <unicode/unistr.h>

#include <string>

namespace rune::test {

/// A text in another encoding, as ICU writes it.
inline std::string encoded(const std::string& utf8, const char* encoding) {
  const auto text = icu::UnicodeString::fromUTF8(utf8);
  std::string bytes(static_cast<std::size_t>(text.extract(0, text.length(), nullptr, 0, encoding)), '\0');
  text.extract(0, text.length(), bytes.data(), static_cast<std::uint32_t>(bytes.size()), encoding);
  return bytes;
}

}  // namespace rune::test
