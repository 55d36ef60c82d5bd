#include "text/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <string>

#include "support/encoded.h"

namespace rune::text {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string detected(const std::string& bytes) { return choose_encoding(bytes, "auto", "file").name; }

std::string error_of(const std::string& bytes, const std::string& asked) {
  try {
    choose_encoding(bytes, asked, "some file");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// German, once more in each encoding.
const std::string kLatin1 = repeated(
    "Die B\xe4ume bl\xfchen f\xfcr die Gr\xf6\xdf"
    "ten, und es wird Fr\xfchling. ",
    40);

// ICU looks at the first 8 KB alone.
TEST(Encoding, LettersBehindALongBeginningInAsciiCount) {
  const std::string ascii = repeated("The beginning of this file is plain English, and goes on for a while.\n", 300);
  const std::string russian = test::encoded(
      repeated("Мы не знали, что они и так уже были на том же месте, и поэтому не стали их искать. ", 300),
      "windows-1251");
  EXPECT_EQ(detected(ascii + russian), "windows-1251");
  EXPECT_EQ(detected(ascii + kLatin1), "ISO-8859-1");
}

TEST(Encoding, Utf8IsBeyondDoubt) {
  for (const std::string& text :
       {std::string(), std::string("plain"), std::string("\u00fcber \U0001F600"), std::string("a\0b", 3)}) {
    EXPECT_EQ(detected(text), "UTF-8");
    EXPECT_EQ(choose_encoding(text, "auto", "file").confidence, 100);
  }
}

TEST(Encoding, AByteOrderMarkDecides) {
  EXPECT_EQ(detected("\xef\xbb\xbf"
                     "a"),
            "UTF-8");
  EXPECT_EQ(detected(std::string("\xff\xfe"
                                 "a\0",
                                 4)),
            "UTF-16LE");
  EXPECT_EQ(detected(std::string("\xfe\xff\0a", 4)), "UTF-16BE");
  EXPECT_EQ(detected(std::string("\xff\xfe\0\0a\0\0\0", 8)), "UTF-32LE");
  EXPECT_EQ(detected(std::string("\0\0\xfe\xff\0\0\0a", 8)), "UTF-32BE");
  EXPECT_EQ(choose_encoding("\xef\xbb\xbf"
                            "a",
                            "utf8", "file")
                .mark_length,
            3U);
  EXPECT_EQ(choose_encoding(std::string("\xff\xfe"
                                        "a\0",
                                        4),
                            "UTF-16", "file")
                .name,
            "UTF-16LE");
}

TEST(Encoding, ZerosTellWithoutAMark) {
  std::string little;
  std::string big;
  for (const char c : repeated("plain words ", 10)) {
    little += {c, '\0'};
    big += {'\0', c};
  }
  EXPECT_EQ(detected(little), "UTF-16LE");
  EXPECT_EQ(detected(big), "UTF-16BE");
}

TEST(Encoding, PunctuationTellsTheOrderOfBytes) {
  const std::string chinese = repeated("\u4f60\u597d\uff0c\u4e16\u754c\u3002\u6211\u7231\u5317\u4eac\n", 20);
  const std::string russian = repeated("\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440 ", 20);
  for (const std::string& text : {chinese, russian}) {
    for (const char* encoding : {"UTF-16LE", "UTF-16BE"}) EXPECT_EQ(detected(test::encoded(text, encoding)), encoding);
  }
  EXPECT_EQ(detected(repeated(std::string("foo\0\nbar12\0\n", 12), 20)), "UTF-8") << "lines that end with a zero";
}

TEST(Encoding, OthersShowInTheirBytes) {
  EXPECT_THAT(detected(kLatin1), testing::AnyOf("ISO-8859-1", "windows-1252"));
  EXPECT_EQ(detected(repeated("\x8d\xa1\x82\xcd\x93\xfa\x82\xc5\x82\xb7\x81\x42\x83\x65\x83\x58\x83\x67\x81\x42", 30)),
            "Shift_JIS");
  EXPECT_EQ(detected(repeated("\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2! \xfc\xd4\xcf \xd4\xc5\xcb\xd3\xd4. ", 30)),
            "KOI8-R");
}

// A peer's failure: one broken byte, and a whole novel is taken for Turkish.
TEST(Encoding, Utf8WithAFewMistakesIsNothingElse) {
  const std::string text = repeated("\u00fcber den W\u00e4ldern ", 50) + "\xfc" + repeated(" und Wiesen\n", 50);
  const Encoding encoding = choose_encoding(text, "auto", "file");
  EXPECT_EQ(encoding.name, "UTF-8");
  EXPECT_LT(encoding.confidence, 100);
}

TEST(Encoding, DoubtAsksForAName) {
  EXPECT_THAT(error_of("na\xefve", "auto"), HasSubstr("(49 %)")) << "one letter tells nothing";
  EXPECT_THAT(error_of("\xe4\xf6", "auto"), AllOf(HasSubstr("some file"), HasSubstr("--encoding")));
  EXPECT_THAT(error_of("a", "no-such-thing"), AllOf(HasSubstr("no-such-thing"), HasSubstr("windows-1252")));
}

}  // namespace
}  // namespace rune::text
