#include "text/suspicions.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "text/utf8.h"

namespace rune::text {
namespace {

using Kind = Suspicion::Kind;

/// The characters that windows-1252 has at 0x80 to 0x9F; 0: none.
constexpr std::array<char16_t, 32> kWindows1252{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/// The byte that a character was in windows-1252; 0: none, or ASCII.
unsigned char byte_of(char32_t c) {
  if (c >= 0x80 && c <= 0xFF) return static_cast<unsigned char>(c);
  const auto found = c < 0x80 ? kWindows1252.end() : std::ranges::find(kWindows1252, c);
  return found == kWindows1252.end() ? 0 : static_cast<unsigned char>(0x80 + (found - kWindows1252.begin()));
}

class Search {
 public:
  void read(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const Decoded next = decode_at(text, at);
      const std::size_t length = next.wrong == nullptr ? next.length : 1;
      const std::string_view shown = text.substr(at, length);
      if (next.wrong != nullptr) {
        note(Kind::replacement, shown);
      } else {
        character(next.character, shown);
      }
      letter(next, shown);
      former_byte(next.wrong == nullptr ? next.character : 0, shown);
      at += length;
    }
    end_word();
  }

  [[nodiscard]] std::vector<Suspicion> found() const {
    std::vector<Suspicion> found;
    for (const Suspicion& suspicion : suspicions_) {
      if (suspicion.count > 0) found.push_back(suspicion);
    }
    return found;
  }

 private:
  void note(Kind kind, std::string_view shown) {
    Suspicion& suspicion = suspicions_[static_cast<std::size_t>(kind)];
    suspicion.kind = kind;
    if (suspicion.count++ == 0) suspicion.first = shown;
  }

  void character(char32_t c, std::string_view shown) {
    if (c >= 0x20 && c < 0x7F) return;
    switch (u_charType(static_cast<UChar32>(c))) {
      case U_CONTROL_CHAR:
        if (c != U'\n' && c != U'\t') note(Kind::control, shown);
        break;
      case U_FORMAT_CHAR:
        note(Kind::invisible, shown);
        break;
      case U_UNASSIGNED:
      case U_PRIVATE_USE_CHAR:
        note(Kind::unassigned, shown);
        break;
      default:
        if (c == 0xFFFD) note(Kind::replacement, shown);
    }
  }

  // A word is a run of letters; of what scripts it is shows at its end.
  void letter(const Decoded& next, std::string_view shown) {
    if (next.wrong != nullptr || u_isalpha(static_cast<UChar32>(next.character)) == 0) {
      end_word();
      return;
    }
    word_ += shown;
    if (next.character < 0x80) {
      latin_ = true;
      return;
    }
    UErrorCode status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(static_cast<UChar32>(next.character), &status);
    latin_ = latin_ || script == USCRIPT_LATIN;
    other_ = other_ || script == USCRIPT_CYRILLIC || script == USCRIPT_GREEK;
  }

  void end_word() {
    if (latin_ && other_) note(Kind::look_alike, word_);
    word_.clear();
    latin_ = other_ = false;
  }

  // What the last characters were before windows-1252 was made of them: a character of UTF-8?
  void former_byte(char32_t c, std::string_view shown) {
    const unsigned char byte = byte_of(c);
    if (byte == 0) {
      bytes_.clear();
      characters_.clear();
      return;
    }
    if (byte >= 0xC2 && unfinished(bytes_ + static_cast<char>(byte)) == 1) {
      bytes_.clear();
      characters_.clear();
    }
    bytes_ += static_cast<char>(byte);
    characters_ += shown;
    if (bytes_.size() >= 2 && decode_at(bytes_, 0).length == bytes_.size() && decode_at(bytes_, 0).wrong == nullptr) {
      note(Kind::mojibake, characters_);
      bytes_.clear();
      characters_.clear();
    } else if (unfinished(bytes_) != bytes_.size()) {
      bytes_.clear();
      characters_.clear();
    }
  }

  std::array<Suspicion, 6> suspicions_;
  std::string word_;
  bool latin_ = false;
  bool other_ = false;
  std::string bytes_;
  std::string characters_;
};

}  // namespace

std::vector<Suspicion> find_suspicions(std::string_view text) {
  Search search;
  search.read(text);
  return search.found();
}

}  // namespace rune::text
