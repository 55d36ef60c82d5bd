#include "text/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <string>

#include "support/encoded.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

using test::encoded;
using testing::AllOf;
using testing::HasSubstr;

TextOptions in(const std::string& encoding, OnInvalid on_invalid = OnInvalid::error) {
  return {.encoding = encoding, .on_invalid = on_invalid};
}

std::string error_of(std::string_view bytes, const TextOptions& options) {
  try {
    decode(bytes, "some file", options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

/// Text of characters that an encoding has.
std::string random_text(std::uint32_t first, std::uint32_t last) {
  const auto character = rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0x20, 0x7F), rc::gen::just<std::uint32_t>('\n'),
                                        rc::gen::inRange(first, last));
  std::string text;
  for (const std::uint32_t c : *rc::gen::container<std::vector<std::uint32_t>>(character)) append_utf8(text, c);
  return text;
}

RC_GTEST_PROP(Decoder, ReadsWhatIcuWrites, ()) {
  struct Case {
    const char* encoding;
    std::uint32_t first;
    std::uint32_t last;
  };
  for (const Case& one :
       {Case{"UTF-8", 0x10000, 0x110000}, Case{"UTF-16LE", 0x4E00, 0x9FA6}, Case{"UTF-16BE", 0x10000, 0x10FFFF},
        Case{"UTF-32LE", 0x10000, 0x10FFFF}, Case{"ISO-8859-1", 0xA0, 0x100}, Case{"windows-1251", 0x410, 0x450},
        Case{"GB18030", 0x4E00, 0x9FA6}, Case{"Shift_JIS", 0x3041, 0x3094}, Case{"EUC-KR", 0xAC00, 0xAC02}}) {
    const std::string text = random_text(one.first, one.last);
    RC_ASSERT(decode(encoded(text, one.encoding), "text", in(one.encoding)) == text);
  }
}

TEST(Decoder, PiecesAreTheWhole) {
  for (const bool lines : {true, false}) {
    std::string text;
    while (text.size() < 9'000'000) text += lines && text.size() % 7 == 0 ? "\u00fcber\n" : "\u4f60\u597d";
    EXPECT_TRUE(decode(text, "text") == text);
    const std::string utf16 = encoded(text, "UTF-16LE");
    EXPECT_TRUE(decode(utf16, "text", in("UTF-16LE")) == text);
    Decoder decoder(text, "text", {});
    for (std::string piece; decoder.next(piece);) {
      EXPECT_EQ(unfinished(piece), 0U);
      EXPECT_LT(piece.size(), 8'000'000U);
    }
    EXPECT_EQ(decoder.reading().characters, static_cast<std::int64_t>(count_characters(text)));
  }
}

TEST(Decoder, LineEndsBecomeNewlines) {
  const std::string mixed = "\r\n\r\r\n\n\rx\u0085y\r";
  Decoder decoder(mixed, "text", {});
  std::string text;
  ASSERT_TRUE(decoder.next(text));
  EXPECT_EQ(text, "\n\n\n\n\nx\ny\n");
  EXPECT_EQ(decoder.reading().crlf, 2);
  EXPECT_EQ(decoder.reading().cr, 3);
  EXPECT_EQ(decoder.reading().lf, 1);
  EXPECT_EQ(decoder.reading().nel, 1);
  EXPECT_EQ(decode(mixed, "text", {.form = {.raw = true}}), mixed);
}

// A peer trained on one line that was a whole book: its file came from an old Macintosh.
TEST(Decoder, AFileOfCarriageReturnsHasLines) { EXPECT_EQ(decode("one\rtwo\r", "text"), "one\ntwo\n"); }

TEST(Decoder, ACarriageReturnAndItsNewlineMayBeApart) {
  std::string text((std::size_t{1} << 20) - 1, 'x');
  text += "\r\ny";  // on both sides of a megabyte
  EXPECT_EQ(decode(text, "text").substr(text.size() - 4), "x\ny");
}

TEST(Decoder, MistakesAreErrorsOrReplacedOrKept) {
  const std::string text = "ab\xe2\x82 c\xff\xc3";
  EXPECT_THAT(error_of(text, in("UTF-8")), AllOf(HasSubstr("'some file', byte 2: "), HasSubstr("--on-invalid")));
  EXPECT_EQ(decode(text, "text", in("UTF-8", OnInvalid::replace)), "ab\uFFFD c\uFFFD\uFFFD");
  EXPECT_EQ(decode(text, "text", in("UTF-8", OnInvalid::bytes)), text);
}

TEST(Decoder, MistakesInOtherEncodingsAreFoundAtTheirByte) {
  const std::string broken = encoded("\u65e5\u672c", "Shift_JIS") + "\x82\x01" + "ok";
  EXPECT_THAT(error_of(broken, in("Shift_JIS")), HasSubstr("byte 4: expected Shift_JIS"));
  EXPECT_THAT(decode(broken, "text", in("Shift_JIS", OnInvalid::replace)), testing::EndsWith("ok"));
  EXPECT_THAT(decode(broken, "text", in("Shift_JIS", OnInvalid::bytes)), HasSubstr("\x82"));
  const std::string odd("a\0b", 3);
  EXPECT_THAT(error_of(odd, in("UTF-16LE")), HasSubstr("cut off"));
  const std::string half(
      "\x3d\xd8"
      "a\0",
      4);  // half of a surrogate pair
  EXPECT_THAT(error_of(half, in("UTF-16LE")), HasSubstr("byte 0"));
}

RC_GTEST_PROP(Decoder, KeptBytesAreTheFile, (const std::string& bytes)) {
  const TextOptions options{.form = {.raw = true}, .encoding = "UTF-8", .on_invalid = OnInvalid::bytes};
  const std::string expected = bytes.starts_with("\xef\xbb\xbf") ? bytes.substr(3) : bytes;
  RC_ASSERT(decode(bytes, "bytes", options) == expected);
}

}  // namespace
}  // namespace rune::text
