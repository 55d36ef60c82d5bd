#include "text/vocabulary.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <rune/error.h>

#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr std::size_t kCodePoints = 0x110000;

[[noreturn]] void fail_unknown(std::u32string_view text, std::size_t position, const std::string& name) {
  const std::u32string_view before = text.substr(0, position);
  const auto line = std::count(before.begin(), before.end(), U'\n') + 1;
  const std::size_t line_start = before.rfind(U'\n') + 1;  // npos + 1 = 0
  throw InputError(name + ": the alphabet has no " + describe(text[position]) + " (character " +
                   std::to_string(position + 1) + ", line " + std::to_string(line) + ", column " +
                   std::to_string(position - line_start + 1) + "); remove it or skip unknown characters");
}

}  // namespace

Vocabulary Vocabulary::of_text(std::u32string_view text) {
  std::vector<char> occurs(kCodePoints);
  for (const char32_t c : text) {
    if (c >= kCodePoints) throw InputError("expected text, found " + describe(c) + ", which is no Unicode character");
    occurs[c] = 1;
  }
  std::u32string characters;
  for (std::size_t c = 0; c < kCodePoints; ++c) {
    if (occurs[c] != 0) characters += static_cast<char32_t>(c);
  }
  return Vocabulary(std::move(characters));
}

Vocabulary::Vocabulary(std::u32string characters) : characters_(std::move(characters)) {
  if (characters_.empty()) throw InputError("expected an alphabet of at least one character, found none");
  const char32_t greatest = *std::max_element(characters_.begin(), characters_.end());
  if (greatest >= kCodePoints) {
    throw InputError("expected an alphabet, found " + describe(greatest) + ", which is no Unicode character");
  }
  tokens_.assign(std::size_t{greatest} + 1, kUnknownToken);
  for (int token = 0; token < size(); ++token) {
    const char32_t c = character(token);
    if (tokens_[c] != kUnknownToken) throw InputError("expected an alphabet, found " + describe(c) + " twice in it");
    tokens_[c] = token;
  }
}

std::vector<std::int32_t> Vocabulary::encode(std::u32string_view text, Unknown unknown, const std::string& name) const {
  std::vector<std::int32_t> tokens;
  tokens.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int number = token(text[i]);
    if (number != kUnknownToken) {
      tokens.push_back(number);
    } else if (unknown == Unknown::error) {
      fail_unknown(text, i, name);
    }
  }
  return tokens;
}

std::string Vocabulary::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  text.reserve(tokens.size());
  for (const std::int32_t token : tokens) append_utf8(text, character(token));
  return text;
}

}  // namespace rune::text
