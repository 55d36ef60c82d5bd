#include "text/prefix.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "text/utf8.h"

namespace rune::text {
namespace {

/// Long enough for whole blocks, with characters of every length and bytes that are none.
std::string some_text() {
  std::string text;
  for (const int piece : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40))) {
    if (piece < 20) text.append(static_cast<std::size_t>(piece < 10 ? piece : 10 * piece), 'a');
    if (piece >= 20 && piece < 30) text += "\u00e9";
    if (piece >= 30 && piece < 35) text += "\u4f60";
    if (piece >= 35 && piece < 39) text += "\U0001F600";
    if (piece == 39) text += *rc::gen::element("\xff", "\xc3", "\xc1\x81", "\x80", "\xe4\xbd", "\xed\xa0\x80");
  }
  return text;
}

RC_GTEST_PROP(Prefix, AsciiEndsWithTheFirstOtherByte, ()) {
  const std::string text = some_text();
  const auto other = std::ranges::find_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  RC_ASSERT(ascii_prefix(text) == static_cast<std::size_t>(other - text.begin()));
}

RC_GTEST_PROP(Prefix, CharactersEndWhereOneIsWrong, ()) {
  const std::string text = some_text();
  std::size_t end = 0;
  while (end < text.size() && decode_at(text, end).wrong == nullptr) end += decode_at(text, end).length;
  RC_ASSERT(valid_prefix(text) == end);
}

RC_GTEST_PROP(Prefix, CountingByTheBlockIsCountingOneByOne, ()) {
  const std::string text = some_text();
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    const Decoded next = decode_at(text, i);
    i += next.wrong == nullptr ? next.length : 1;
  }
  RC_ASSERT(count_characters(text) == count);
}

RC_GTEST_PROP(Prefix, TakingByTheBlockIsTakingOneByOne, ()) {
  const std::string text = some_text();
  std::u32string expected;
  for (std::size_t i = 0; i < text.size();) {
    const Decoded next = decode_at(text, i);
    const bool valid = next.wrong == nullptr;
    expected += valid ? next.character : byte_as_character(text[i]);
    i += valid ? next.length : 1;
  }
  std::u32string taken;
  std::u32string block(*rc::gen::inRange<std::size_t>(1, 100), U'\0');
  for (std::string_view rest = text; !rest.empty();) taken.append(block, 0, take_characters(rest, block));
  RC_ASSERT(taken == expected);

  std::u32string visited;
  for_characters(text,
                 [&](std::span<const char32_t> characters) { visited.append(characters.begin(), characters.end()); });
  RC_ASSERT(visited == expected);

  std::string bytes;
  for (const char32_t character : taken) bytes += bytes_of(character);
  RC_ASSERT(bytes == text);
}

TEST(Prefix, OfNothingIsEmpty) {
  EXPECT_EQ(ascii_prefix(""), 0U);
  EXPECT_EQ(valid_prefix(""), 0U);
  EXPECT_EQ(length_before(std::string(64, 'a') + 'b', [](char c) { return c == 'b'; }), 64U);
}

}  // namespace
}  // namespace rune::text
