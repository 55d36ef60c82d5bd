#include "text/vocabulary.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rune::text {
namespace {

std::string error_of(const Vocabulary& vocabulary, std::u32string_view text) {
  try {
    (void)vocabulary.encode(text, Unknown::error, "the prompt");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Vocabulary, HasTheCharactersOfTheTextInOrder) {
  const Vocabulary vocabulary = Vocabulary::of_text(U"déjà vu\U0001F600 vu\n");
  EXPECT_EQ(vocabulary.characters(), U"\n djuvàé\U0001F600");
  EXPECT_EQ(vocabulary.size(), 9);
  EXPECT_EQ(vocabulary.token(U'\n'), 0);
  EXPECT_EQ(vocabulary.token(U'\U0001F600'), 8);
  EXPECT_EQ(vocabulary.character(7), U'é');
  EXPECT_EQ(vocabulary.token(U'x'), -1);
  EXPECT_EQ(vocabulary.token(U'\U0010FFFF'), -1);
}

TEST(Vocabulary, KeepsAGivenOrder) {
  const Vocabulary vocabulary(U"ba");
  EXPECT_EQ(vocabulary.token(U'b'), 0);
  EXPECT_EQ(vocabulary.token(U'a'), 1);
  EXPECT_TRUE(vocabulary == Vocabulary(U"ba"));
  EXPECT_FALSE(vocabulary == Vocabulary(U"ab"));
}

TEST(Vocabulary, RefusesWhatIsNoAlphabet) {
  EXPECT_THROW(Vocabulary(U""), InputError);
  EXPECT_THROW(Vocabulary(U"aba"), InputError);
  EXPECT_THROW(Vocabulary(std::u32string{U'a', kLastSymbol + 1}), InputError);
  EXPECT_THROW((void)Vocabulary::of_text(U""), InputError);
  EXPECT_THROW((void)Vocabulary::of_text(std::u32string(1, 0xFFFFFFFF)), InputError);
}

TEST(Vocabulary, NamesAnUnknownCharacterAndItsPosition) {
  const Vocabulary vocabulary(U"ab\n");
  EXPECT_EQ(error_of(vocabulary, U"éa"),
            "the prompt: the alphabet has no 'é' (U+00E9) (character 1, line 1, column 1); "
            "remove it or skip unknown characters");
  EXPECT_EQ(error_of(vocabulary, U"ab\n\nabé"),
            "the prompt: the alphabet has no 'é' (U+00E9) (character 7, line 3, "
            "column 3); remove it or skip unknown characters");
  EXPECT_EQ(error_of(vocabulary, U"ab\n"), "no error");
}

TEST(Vocabulary, SkipsUnknownCharactersOnRequest) {
  const Vocabulary vocabulary(U"ab");
  EXPECT_EQ(vocabulary.encode(U"xaéb", Unknown::skip, "the prompt"), (std::vector<std::int32_t>{0, 1}));
}

RC_GTEST_PROP(Vocabulary, DecodingUndoesEncoding, ()) {
  const auto bytes = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)));
  std::u32string text(bytes.begin(), bytes.end());
  const Vocabulary vocabulary = Vocabulary::of_text(text);
  const auto tokens = vocabulary.encode(text, Unknown::error, "text");
  RC_ASSERT(vocabulary.decode(tokens) == bytes);
  RC_ASSERT(std::set<std::int32_t>(tokens.begin(), tokens.end()).size() == static_cast<std::size_t>(vocabulary.size()));
}

TEST(Vocabulary, SymbolsHaveNamesAndAreNoCharacters) {
  const Vocabulary vocabulary(std::u32string{kUnknownSymbol, kPaddingSymbol, kBeginSymbol, kEndSymbol, U'a'});
  EXPECT_EQ(vocabulary.token(kEndSymbol), 3);
  EXPECT_EQ(vocabulary.decode(std::vector<std::int32_t>{2, 4, 0, 1, 3}), "<BOS>a<unk><pad><EOS>");
  EXPECT_EQ(vocabulary.encode(U"ab", Unknown::error, "the text"), (std::vector<std::int32_t>{4, 0}));
  EXPECT_THROW(Vocabulary(std::u32string{kPaddingSymbol}), InputError) << "no character";
  EXPECT_EQ(symbol_name(U'a'), "");
}

TEST(Vocabulary, OfPartsCountsThemTogether) {
  const std::array<std::u32string_view, 2> parts{U"aab", U"bcb"};
  EXPECT_EQ(Vocabulary::of_parts(parts, {kPaddingSymbol}, 2).characters(),
            (std::u32string{kPaddingSymbol, U'a', U'b'}));
}

}  // namespace
}  // namespace rune::text
