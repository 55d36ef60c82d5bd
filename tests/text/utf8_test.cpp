#include "text/utf8.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <string>
#include <vector>

namespace rune::text {
namespace {

TEST(Utf8, KnownEncodings) {
  EXPECT_EQ(encode_utf8(U"A\u007F\u0080\u07FF\u0800\uFFFD\U00010000\U0010FFFF"),
            "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  EXPECT_EQ(decode_utf8("", "empty"), U"");
}

RC_GTEST_PROP(Utf8, DecodingUndoesEncoding, ()) {
  const auto character =
      rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 0x80), rc::gen::inRange<std::uint32_t>(0x80, 0x800),
                     rc::gen::inRange<std::uint32_t>(0x800, 0xD800), rc::gen::inRange<std::uint32_t>(0xE000, 0x110000));
  std::u32string text;
  for (const std::uint32_t c : *rc::gen::container<std::vector<std::uint32_t>>(character)) {
    text += c;
    if (c < 0x80) text.append(c % 20, c);  // long enough for the fast path
  }
  RC_ASSERT(decode_utf8(encode_utf8(text), "text") == text);
}

RC_GTEST_PROP(Utf8, WhatIsDecodedHasNoOtherEncoding, (const std::string& bytes)) {
  try {
    RC_ASSERT(encode_utf8(decode_utf8(bytes, "bytes")) == bytes);
  } catch (const InputError&) {}
}

TEST(Utf8, InvalidTextIsRefusedWithItsOffset) {
  const auto expect_refused = [](const std::string& bytes, const std::string& reason) {
    for (const std::string& before : {std::string(), std::string("12345678\xc3\xa9")}) {
      try {
        decode_utf8(before + bytes, "some file");
        FAIL() << reason;
      } catch (const InputError& error) {
        const std::string start =
            "'some file', byte " + std::to_string(before.size()) + ": expected UTF-8 text, found " + reason;
        EXPECT_EQ(std::string(error.what()).substr(0, start.size()), start);
      }
    }
  };
  expect_refused("\x80 and more text", "a byte that starts no character");
  expect_refused("\xbf", "a byte that starts no character");
  expect_refused("\xf8\x88\x80\x80\x80", "a byte that starts no character");
  expect_refused("\xff", "a byte that starts no character");
  expect_refused("\xc3", "a character cut off by the end");
  expect_refused("\xe2\x82", "a character cut off by the end");
  expect_refused("\xf0\x9f\x98", "a character cut off by the end");
  expect_refused("\xc3(", "an incomplete character");
  expect_refused("\xe2\x82(", "an incomplete character");
  expect_refused("\xf0\x9f\x98\xc3", "an incomplete character");
  expect_refused("\xc1\xbf", "a character in more bytes than it needs");
  expect_refused("\xe0\x9f\xbf", "a character in more bytes than it needs");
  expect_refused("\xf0\x8f\xbf\xbf", "a character in more bytes than it needs");
  expect_refused("\xed\xa0\x80", "half of a UTF-16 surrogate pair");
  expect_refused("\xed\xbf\xbf", "half of a UTF-16 surrogate pair");
  expect_refused("\xf4\x90\x80\x80", "a number beyond the last character");
}

TEST(Utf8, DescriptionsHaveAGlyphWhereItIsHarmless) {
  EXPECT_EQ(describe(U'é'), "'é' (U+00E9)");
  EXPECT_EQ(describe(U' '), "' ' (U+0020)");
  EXPECT_EQ(describe(U'\U0001F600'), "'\U0001F600' (U+1F600)");
  EXPECT_EQ(describe(U'\0'), "U+0000");
  EXPECT_EQ(describe(U'\n'), "U+000A");
  EXPECT_EQ(describe(0x9B), "U+009B");
  EXPECT_EQ(describe(0x202E), "U+202E");  // turns the direction of what follows
  EXPECT_EQ(describe(0xD800), "U+D800");
  EXPECT_EQ(describe(0xFFFF), "U+FFFF");
  EXPECT_EQ(describe(0x110000), "U+110000");
}

TEST(Utf8, ControlsAreEscaped) {
  EXPECT_EQ(escape_controls("a\tb\nc é \U0001F600"), "a\tb\nc é \U0001F600");
  EXPECT_EQ(escape_controls(std::string_view("\0\x1b[2J\r\x7f", 7)), "\\x00\\x1b[2J\\x0d\\x7f");
  EXPECT_EQ(escape_controls("\xc2\x80\xc2\x9b\xc2\xa0"), "\\x80\\x9b\xc2\xa0");  // U+0080, U+009B, no-break space
}

}  // namespace
}  // namespace rune::text
