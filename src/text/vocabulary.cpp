#include "text/vocabulary.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <rune/error.h>

#include "text/decoder.h"
#include "text/form.h"
#include "text/segmenter.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

std::vector<std::string> strings_of(std::u32string_view characters) {
  std::vector<std::string> entries;
  for (const char32_t c : characters) append_utf8(entries.emplace_back(), c);
  return entries;
}

}  // namespace

std::optional<Symbol> symbol_of(std::string_view name) {
  const auto found = std::ranges::find(kSymbolNames, name);
  if (found == kSymbolNames.end()) return std::nullopt;
  return static_cast<Symbol>(found - kSymbolNames.begin());
}

Vocabulary::Vocabulary(std::u32string_view characters) : Vocabulary({strings_of(characters)}) {}

Vocabulary::Vocabulary(rune::Vocabulary entries) : content_(std::move(entries)) {
  int units = 0;
  for (int number = 0; number < size(); ++number) {
    const std::string& entry = content_.entries[static_cast<std::size_t>(number)];
    if (entry.empty()) throw InputError("expected an alphabet, found an empty entry in it");
    if (token_of_entry(entry) >= 0) {
      throw InputError("expected an alphabet, found " + describe_unit(entry) + " twice in it");
    }
    if (const auto symbol = symbol_of(entry)) {
      symbols_[static_cast<std::size_t>(*symbol)] = number;
    } else {
      index_.insert(entry, number);
      ++units;
    }
  }
  if (units == 0) throw InputError("expected an alphabet of at least one character, found none");
}

int Vocabulary::token_of_entry(std::string_view entry) const {
  const auto symbol = symbol_of(entry);
  return symbol ? token(*symbol) : token(entry);
}

bool Vocabulary::is_symbol(int token) const { return std::ranges::find(symbols_, token) != symbols_.end(); }

std::vector<std::int32_t> Vocabulary::encode(std::string_view text, Unknown unknown, const std::string& name) const {
  const std::string read =
      treated(text::decode(text, name, {.form = form(), .encoding = "UTF-8", .on_invalid = OnInvalid::bytes}), form());
  std::vector<std::int32_t> tokens;
  Place place;
  Segmenter(form().unit).for_each(read, [&](std::string_view unit) {
    const int known = token(unit);
    const int number = known >= 0 ? known : token(Symbol::unknown);
    if (number >= 0) {
      tokens.push_back(number);
    } else if (unknown == Unknown::error) {
      place.fail_unknown(unit, name, form().unit);
    }
    place.pass(unit);
  });
  return tokens;
}

std::string Vocabulary::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) text += entry(token);
  return text;
}

void Place::pass(std::string_view unit) {
  ++units_;
  ++column_;
  if (const auto newlines = std::ranges::count(unit, '\n'); newlines > 0) {
    line_ += newlines;
    column_ = 1;
  }
}

void Place::fail_unknown(std::string_view unit, const std::string& name, Unit kind) const {
  const std::string what = kind == Unit::word ? "word" : kind == Unit::byte ? "byte" : "character";
  throw InputError(name + ": the alphabet has no " + describe_unit(unit) + " (" + what + ' ' + std::to_string(units_) +
                   ", line " + std::to_string(line_) + ", column " + std::to_string(column_) +
                   "); remove it or skip unknown characters");
}

}  // namespace rune::text
