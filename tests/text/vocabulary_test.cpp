#include "text/vocabulary.h"

#include <gtest/gtest.h>
#include <rune/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace rune::text {
namespace {

std::string error_of(const Vocabulary& vocabulary, std::string_view text) {
  try {
    (void)vocabulary.encode(text, Unknown::error, "the prompt");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Vocabulary, NumbersItsEntriesInTheOrderGiven) {
  const Vocabulary vocabulary(U"ba\U0001F600");
  EXPECT_EQ(vocabulary.token("b"), 0);
  EXPECT_EQ(vocabulary.token("a"), 1);
  EXPECT_EQ(vocabulary.token("\U0001F600"), 2);
  EXPECT_EQ(vocabulary.entry(2), "\U0001F600");
  EXPECT_EQ(vocabulary.token("x"), -1);
  EXPECT_EQ(vocabulary.token("\U0010FFFF"), -1);
  EXPECT_EQ(vocabulary.token("ba"), -1);
  EXPECT_TRUE(vocabulary == Vocabulary(U"ba\U0001F600"));
  EXPECT_FALSE(vocabulary == Vocabulary(U"ab\U0001F600"));
}

TEST(Vocabulary, TheFormIsPartOfIt) {
  const rune::Vocabulary plain{{"a", "b"}};
  rune::Vocabulary lowercase = plain;
  lowercase.form.lowercase = true;
  EXPECT_FALSE(Vocabulary(plain) == Vocabulary(lowercase));
  EXPECT_EQ(Vocabulary(lowercase).encode("AB\r\n", Unknown::skip, "the prompt"), (std::vector<std::int32_t>{0, 1}));
}

TEST(Vocabulary, RefusesWhatIsNoAlphabet) {
  EXPECT_THROW(Vocabulary(U""), InputError);
  EXPECT_THROW(Vocabulary(U"aba"), InputError);
  EXPECT_THROW(Vocabulary(rune::Vocabulary{{"ab", "ab"}}), InputError);
  EXPECT_THROW(Vocabulary(rune::Vocabulary{{"<unk>", "a", "<unk>"}}), InputError);
  EXPECT_THROW(Vocabulary(rune::Vocabulary{{"a", ""}}), InputError);
}

TEST(Vocabulary, NamesAnUnknownCharacterAndItsPosition) {
  const Vocabulary vocabulary(U"ab\n");
  EXPECT_EQ(error_of(vocabulary, "éa"),
            "the prompt: the alphabet has no 'é' (U+00E9) (character 1, line 1, column 1); "
            "remove it or skip unknown characters");
  EXPECT_EQ(error_of(vocabulary, "ab\n\nabé"),
            "the prompt: the alphabet has no 'é' (U+00E9) (character 7, line 3, "
            "column 3); remove it or skip unknown characters");
  EXPECT_EQ(error_of(vocabulary, "ab\n"), "no error");
}

TEST(Vocabulary, SkipsUnknownCharactersOnRequest) {
  const Vocabulary vocabulary(U"ab");
  EXPECT_EQ(vocabulary.encode("xaéb", Unknown::skip, "the prompt"), (std::vector<std::int32_t>{0, 1}));
}

TEST(Vocabulary, WordsAreUnitsWithWhatStandsBetweenThem) {
  const Vocabulary vocabulary(rune::Vocabulary{{" ", "!", "\n", "Hello", "world"}, {.unit = Unit::word}});
  const auto tokens = vocabulary.encode("Hello world!\nHello", Unknown::error, "text");
  EXPECT_EQ(tokens, (std::vector<std::int32_t>{3, 0, 4, 1, 2, 3}));
  EXPECT_EQ(vocabulary.decode(tokens), "Hello world!\nHello");
  EXPECT_THROW((void)vocabulary.encode("Hell", Unknown::error, "text"), InputError);
}

TEST(Vocabulary, BytesAreUnitsWhateverTheyAre) {
  std::vector<std::string> entries;
  for (int byte = 0; byte < 256; ++byte) entries.emplace_back(1, static_cast<char>(byte));
  const Vocabulary vocabulary(rune::Vocabulary{entries, {.unit = Unit::byte, .raw = true}});
  const auto tokens = vocabulary.encode("\u00e9\xff\r\n", Unknown::error, "text");
  EXPECT_EQ(tokens, (std::vector<std::int32_t>{0xc3, 0xa9, 0xff, 13, 10}));
  EXPECT_EQ(vocabulary.decode(tokens), "\u00e9\xff\r\n");
}

TEST(Vocabulary, SymbolsHaveNamesAndAreNoUnits) {
  const Vocabulary vocabulary(rune::Vocabulary{{"<unk>", "<pad>", "<BOS>", "<EOS>", "a"}});
  EXPECT_EQ(vocabulary.token(Symbol::end), 3);
  EXPECT_EQ(vocabulary.token("<EOS>"), -1);
  EXPECT_TRUE(vocabulary.is_symbol(3));
  EXPECT_FALSE(vocabulary.is_symbol(4));
  EXPECT_EQ(vocabulary.decode(std::vector<std::int32_t>{2, 4, 0, 1, 3}), "<BOS>a<unk><pad><EOS>");
  EXPECT_EQ(vocabulary.encode("ab", Unknown::error, "the text"), (std::vector<std::int32_t>{4, 0}));
  EXPECT_THROW(Vocabulary(rune::Vocabulary{{"<pad>"}}), InputError) << "no unit";
}

}  // namespace
}  // namespace rune::text
