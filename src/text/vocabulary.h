#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>
#include <rune/vocabulary.h>

#include "text/unit_index.h"

namespace rune::text {

/// What an unknown unit in a prompt or an evaluated text does, where the alphabet has no <unk>.
enum class Unknown { error, skip };

/// Entries of an alphabet that are no units of a text.
enum class Symbol {
  unknown,  ///< <unk>: any unit that is not in the alphabet
  padding,  ///< <pad>: nothing
  begin,    ///< <BOS>: before a record
  end,      ///< <EOS>: after a record or a document
};
inline constexpr std::array<std::string_view, 4> kSymbolNames{"<unk>", "<pad>", "<BOS>", "<EOS>"};
inline std::string name_of(Symbol symbol) { return std::string(kSymbolNames[static_cast<std::size_t>(symbol)]); }
/// The symbol of that name; nothing if there is none.
std::optional<Symbol> symbol_of(std::string_view name);

/// The alphabet of a model: units and symbols with their token numbers, and the form in which it reads a text.
/// Immutable after construction, thread-safe.
class Vocabulary {
 public:
  /// The entries in the order given; throws InputError on duplicates, or when there is no unit.
  explicit Vocabulary(rune::Vocabulary entries);
  /// Characters alone.
  explicit Vocabulary(std::u32string_view characters);

  [[nodiscard]] int size() const { return static_cast<int>(content_.entries.size()); }
  [[nodiscard]] const rune::Vocabulary& content() const { return content_; }
  [[nodiscard]] const TextForm& form() const { return content_.form; }
  /// The bytes of a unit, the name of a symbol.
  [[nodiscard]] const std::string& entry(int token) const { return content_.entries[static_cast<std::size_t>(token)]; }
  [[nodiscard]] bool is_symbol(int token) const;
  /// -1 where there is none.
  [[nodiscard]] int token(Symbol symbol) const { return symbols_[static_cast<std::size_t>(symbol)]; }
  [[nodiscard]] int token(std::string_view unit) const { return index_.find(unit); }
  /// Of an entry of another alphabet: a unit, or the name of a symbol.
  [[nodiscard]] int token_of_entry(std::string_view entry) const;

  /// Tokens of a running text in UTF-8, brought into the alphabet's form. A unit that is not in the alphabet becomes
  /// <unk> if there is one; else Unknown::error throws InputError naming the unit, its position (unit, line and
  /// column, from 1) and `name`, and Unknown::skip leaves it out.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text, Unknown unknown, const std::string& name) const;
  /// The text of tokens; symbols by name.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> tokens) const;

  bool operator==(const Vocabulary& other) const { return content_ == other.content_; }

 private:
  rune::Vocabulary content_;
  UnitIndex index_;  // of units
  std::array<int, 4> symbols_{-1, -1, -1, -1};
};

/// Where a unit stands in a text, for messages.
class Place {
 public:
  /// Goes on behind a unit.
  void pass(std::string_view unit);
  /// "the alphabet has no 'é' (U+00E9) (character 7, line 3, column 3)": throws InputError.
  [[noreturn]] void fail_unknown(std::string_view unit, const std::string& name, Unit kind) const;

 private:
  std::int64_t units_ = 1;
  std::int64_t line_ = 1;
  std::int64_t column_ = 1;
};

}  // namespace rune::text
