#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rune::text {

/// What an unknown character in a prompt or an evaluated text does.
enum class Unknown { error, skip };

/// The alphabet of a model: characters (code points) and their token numbers. Immutable after construction,
/// thread-safe.
class Vocabulary {
 public:
  /// The distinct characters of a text, sorted by code point; token = position.
  static Vocabulary of_text(std::u32string_view text);
  /// The characters in the order given; throws InputError on duplicates, on what is no Unicode character, or when
  /// empty.
  explicit Vocabulary(std::u32string characters);

  [[nodiscard]] int size() const { return static_cast<int>(characters_.size()); }
  [[nodiscard]] char32_t character(int token) const { return characters_[static_cast<std::size_t>(token)]; }
  [[nodiscard]] const std::u32string& characters() const { return characters_; }
  /// -1 if the character is unknown.
  [[nodiscard]] int token(char32_t character) const {
    return character < tokens_.size() ? tokens_[character] : kUnknownToken;
  }

  /// Tokens of a text. Unknown::error throws InputError naming the character, its position (character, line and
  /// column, from 1) and `name`; Unknown::skip leaves it out.
  [[nodiscard]] std::vector<std::int32_t> encode(std::u32string_view text, Unknown unknown,
                                                 const std::string& name) const;
  /// UTF-8 of tokens.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> tokens) const;

  bool operator==(const Vocabulary& other) const { return characters_ == other.characters_; }

 private:
  static constexpr std::int32_t kUnknownToken = -1;

  std::u32string characters_;         // by token
  std::vector<std::int32_t> tokens_;  // by character, up to the greatest one of the alphabet
};

}  // namespace rune::text
