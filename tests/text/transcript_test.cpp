#include "text/transcript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace rune::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Vocabulary alphabet(std::vector<std::string> entries, TextForm form = {}) {
  return Vocabulary(rune::Vocabulary{.entries = std::move(entries), .form = std::move(form)});
}

std::vector<std::pair<std::size_t, std::string>> listed(const std::vector<Transcript::Aside>& asides) {
  std::vector<std::pair<std::size_t, std::string>> all;
  for (const auto& [token, bytes] : asides) all.emplace_back(token, bytes);
  return all;
}

TEST(TranscriptTest, AKnownTextIsItsTokensAlone) {
  const auto transcript = transcribe(alphabet({"a", "b", "é"}), "abéa");
  EXPECT_THAT(transcript.tokens, ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(transcript.instead, IsEmpty());
  EXPECT_THAT(transcript.before, IsEmpty());
}

TEST(TranscriptTest, WhatNoTokenIsLikeStandsBeforeTheNext) {
  const auto transcript = transcribe(alphabet({"a", "b"}),
                                     "xya\xff\xfe"
                                     "b!");
  EXPECT_THAT(transcript.tokens, ElementsAre(0, 1));
  EXPECT_THAT(listed(transcript.before), ElementsAre(std::pair(0, "xy"), std::pair(1, "\xff\xfe"), std::pair(2, "!")));
}

TEST(TranscriptTest, LineEndsCaseAndNormalFormStandInPlaceOfWhatTheModelReads) {
  const auto transcript = transcribe(
      alphabet({"\n", "a", "f", "i"}, {.lowercase = true, .normalize = Normalization::nfkc}), "A\r\n\xc2\x85\rﬁ\n");
  EXPECT_THAT(transcript.tokens, ElementsAre(1, 0, 0, 0, 2, 3, 0));
  EXPECT_THAT(listed(transcript.instead), ElementsAre(std::pair(0, "A"), std::pair(1, "\r\n"), std::pair(2, "\xc2\x85"),
                                                      std::pair(3, "\r"), std::pair(4, "ﬁ"), std::pair(5, "")));
  EXPECT_THAT(transcript.before, IsEmpty());
}

TEST(TranscriptTest, ARawModelReadsOtherLineEndsAsAnythingElse) {
  const auto transcript = transcribe(alphabet({"\n", "a"}, {.raw = true}), "a\r\n");
  EXPECT_THAT(transcript.tokens, ElementsAre(1, 0));
  EXPECT_THAT(listed(transcript.before), ElementsAre(std::pair(1, "\r")));
}

TEST(TranscriptTest, SymbolsStandForWhatIsUnknownAndForTheEndOfALine) {
  const auto transcript = transcribe(alphabet({"a", "<unk>", "<EOS>"}), "<unk>\na");
  EXPECT_THAT(transcript.tokens, ElementsAre(1, 1, 1, 1, 1, 2, 0));
  EXPECT_THAT(listed(transcript.instead), ElementsAre(std::pair(0, "<"), std::pair(1, "u"), std::pair(2, "n"),
                                                      std::pair(3, "k"), std::pair(4, ">"), std::pair(5, "\n")));
}

/// Pieces of text that go wrong where anything does.
rc::Gen<std::string> bytes() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
          rc::gen::element<std::string>("a", "b", "A", "\n", "\r", "\r\n", "\xc2\x85", "é", "e\u0301", "ﬁ", "ß", "İ",
                                        "word", "我们", " ", "\xc2", "\x80", "\xed\xa0\x80", std::string(1, '\0')),
          rc::gen::map(rc::gen::arbitrary<char>(), [](char byte) { return std::string(1, byte); }))),
      [](const std::vector<std::string>& parts) {
        std::string all;
        for (const std::string& part : parts) all += part;
        return all;
      });
}

RC_GTEST_PROP(TranscriptTest, AnyBytesComeBack, ()) {
  TextForm form;
  form.unit = *rc::gen::element(Unit::character, Unit::grapheme, Unit::byte, Unit::word);
  form.lowercase = *rc::gen::arbitrary<bool>();
  form.fold_case = *rc::gen::arbitrary<bool>();
  form.normalize = *rc::gen::element(Normalization::none, Normalization::nfc, Normalization::nfkc);
  form.raw = *rc::gen::arbitrary<bool>();
  std::vector<std::string> entries{"a", "e", "é", "s", " ", "word"};
  for (const char* more : {"\n", "<unk>", "<EOS>"})
    if (*rc::gen::arbitrary<bool>()) entries.emplace_back(more);
  const Vocabulary vocabulary = alphabet(entries, form);
  const std::string text = *bytes();
  RC_ASSERT(written_out(vocabulary, transcribe(vocabulary, text)) == text);
}

}  // namespace
}  // namespace rune::text
