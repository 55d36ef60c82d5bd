#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rune::text {

/// What an unknown character in a prompt or an evaluated text does, where the alphabet has no <unk>.
enum class Unknown { error, skip };

/// Symbols: entries of an alphabet that are no characters, numbered beyond Unicode's last.
inline constexpr char32_t kUnknownSymbol = 0x110000;  // <unk>: any character that is not in the alphabet
inline constexpr char32_t kPaddingSymbol = 0x110001;  // <pad>: nothing
inline constexpr char32_t kBeginSymbol = 0x110002;    // <BOS>: before a record
inline constexpr char32_t kEndSymbol = 0x110003;      // <EOS>: after a record
inline constexpr char32_t kLastSymbol = kEndSymbol;
/// "<unk>"; empty if it is no symbol.
std::string_view symbol_name(char32_t entry);
/// The symbol of that name; nothing if there is none.
std::optional<char32_t> symbol_of(std::string_view name);

/// The alphabet of a model: characters (code points) and symbols, and their token numbers. Immutable after
/// construction, thread-safe.
class Vocabulary {
 public:
  /// The distinct characters of a text, sorted by code point; token = position.
  static Vocabulary of_text(std::u32string_view text);
  /// `symbols`, then the characters that occur at least `min_frequency` times in all parts together, sorted.
  static Vocabulary of_parts(std::span<const std::u32string_view> parts, std::u32string symbols,
                             std::int64_t min_frequency);
  /// The entries in the order given; throws InputError on duplicates, on what is neither a Unicode character nor a
  /// symbol, or when there is no character.
  explicit Vocabulary(std::u32string characters);

  [[nodiscard]] int size() const { return static_cast<int>(characters_.size()); }
  [[nodiscard]] char32_t character(int token) const { return characters_[static_cast<std::size_t>(token)]; }
  [[nodiscard]] const std::u32string& characters() const { return characters_; }
  /// -1 if the character is unknown.
  [[nodiscard]] int token(char32_t character) const {
    return character < tokens_.size() ? tokens_[character] : kUnknownToken;
  }

  /// Tokens of a text. A character that is not in the alphabet becomes <unk> if there is one; else Unknown::error
  /// throws InputError naming the character, its position (character, line and column, from 1) and `name`, and
  /// Unknown::skip leaves it out.
  [[nodiscard]] std::vector<std::int32_t> encode(std::u32string_view text, Unknown unknown,
                                                 const std::string& name) const;
  /// UTF-8 of tokens; symbols by name.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> tokens) const;

  bool operator==(const Vocabulary& other) const { return characters_ == other.characters_; }

 private:
  static constexpr std::int32_t kUnknownToken = -1;

  std::u32string characters_;         // by token
  std::vector<std::int32_t> tokens_;  // by character, up to the greatest one of the alphabet
};

}  // namespace rune::text
