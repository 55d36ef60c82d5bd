#include "text/vocabulary.h"

#include <algorithm>
#include <array>
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

std::string_view symbol_name(char32_t entry) {
  constexpr std::array<std::string_view, kLastSymbol - kUnknownSymbol + 1> kNames{"<unk>", "<pad>", "<BOS>", "<EOS>"};
  return entry < kUnknownSymbol || entry > kLastSymbol ? "" : kNames[entry - kUnknownSymbol];
}

std::optional<char32_t> symbol_of(std::string_view name) {
  for (char32_t symbol = kUnknownSymbol; symbol <= kLastSymbol; ++symbol) {
    if (symbol_name(symbol) == name) return symbol;
  }
  return std::nullopt;
}

Vocabulary Vocabulary::of_text(std::u32string_view text) { return of_parts({&text, 1}, {}, 1); }

Vocabulary Vocabulary::of_parts(std::span<const std::u32string_view> parts, std::u32string symbols,
                                std::int64_t min_frequency) {
  std::vector<std::int64_t> occurs(kCodePoints);
  for (const std::u32string_view part : parts) {
    for (const char32_t c : part) {
      if (c >= kCodePoints) throw InputError("expected text, found " + describe(c) + ", which is no Unicode character");
      ++occurs[c];
    }
  }
  std::u32string entries = std::move(symbols);
  for (std::size_t c = 0; c < kCodePoints; ++c) {
    if (occurs[c] > 0 && occurs[c] >= min_frequency) entries += static_cast<char32_t>(c);
  }
  return Vocabulary(std::move(entries));
}

Vocabulary::Vocabulary(std::u32string characters) : characters_(std::move(characters)) {
  if (std::ranges::all_of(characters_, [](char32_t entry) { return !symbol_name(entry).empty(); })) {
    throw InputError("expected an alphabet of at least one character, found none");
  }
  const char32_t greatest = *std::ranges::max_element(characters_);
  if (greatest > kLastSymbol) {
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
  const int unknown_token = token(kUnknownSymbol);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int known = token(text[i]);
    const int number = known == kUnknownToken ? unknown_token : known;
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
  for (const std::int32_t token : tokens) {
    const std::string_view name = symbol_name(character(token));
    if (name.empty()) {
      append_utf8(text, character(token));
    } else {
      text += name;
    }
  }
  return text;
}

}  // namespace rune::text
