#include "text/corpus.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/encoded.h"
#include "support/temporary_folder.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

namespace fs = std::filesystem;

using Entries = std::vector<std::string>;

std::vector<std::int32_t> tokens(const Tokens& tokens) { return {tokens.begin(), tokens.end()}; }

class ReadText : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "rune-corpus-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  fs::path file(const std::string& name, const std::string& content) {
    write_file_atomically(directory_ / name, content);
    return directory_ / name;
  }
  static std::string read(const std::vector<fs::path>& paths) {
    const Corpus corpus = Corpus::read({paths}, {.validation_fraction = 0});
    return corpus.vocabulary.decode(corpus.train);
  }

 private:
  fs::path directory_;
};

TEST_F(ReadText, JoinsFilesInTheOrderGiven) {
  const fs::path one = file("one", "1é\n");
  const fs::path two = file("two", "2");
  EXPECT_EQ(read({one, two, one}), "1é\n21é\n");
}

TEST_F(ReadText, LineEndsBecomeNewlines) {
  EXPECT_EQ(read({file("crlf", "\r\na\r\n\r\nb\rc\r\r\nd\n\r")}), "\na\n\nb\nc\n\nd\n\n");
  EXPECT_EQ(read({file("cr", "a\r"), file("lf", "\nb")}), "a\n\nb");  // not one line end: two files
}

TEST_F(ReadText, AByteOrderMarkIsDroppedAtAFilesStartOnly) {
  const fs::path marked = file("marked",
                               "\xef\xbb\xbf"
                               "a\xef\xbb\xbf"
                               "b");
  EXPECT_EQ(read({marked, marked}), "a\uFEFFba\uFEFFb");
}

TEST_F(ReadText, ErrorsNameTheFileAndTheByte) {
  const fs::path bad = file("bad", "\xef\xbb\xbfok\r\n\xff");
  try {
    read({file("good", "ok"), bad});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("'" + bad.string() + "', byte 7:"), std::string::npos) << error.what();
  }
  EXPECT_THROW(read({bad.parent_path() / "missing"}), FileError);
}

TEST_F(ReadText, NoTextIsAnError) {
  EXPECT_THROW(read({}), InputError);
  EXPECT_THROW(read({file("empty", ""), file("mark", "\xef\xbb\xbf")}), InputError);
  EXPECT_EQ(read({file("empty", ""), file("full", "a")}), "a");
}

TEST(SplitPoint, CutsAsTheNotebooksDo) {
  EXPECT_EQ(split_point(1985223, 0.1), 1786700u);
  EXPECT_EQ(split_point(10, 0.0), 10u);
  EXPECT_EQ(split_point(10, 0.5), 5u);
  EXPECT_EQ(split_point(0, 0.1), 0u);
  for (const double fraction : {-0.1, 1.0, 2.0, std::nan("")}) EXPECT_THROW(split_point(10, fraction), InputError);
}

TEST(Corpus, IsTheTextCutInTwo) {
  const Corpus corpus = Corpus::from_text("abcabcabcd", {.validation_fraction = 0.2});
  EXPECT_EQ(corpus.vocabulary.content().entries, (Entries{"a", "b", "c", "d"}));
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{0, 1, 2, 0, 1, 2, 0, 1}));
  EXPECT_EQ(tokens(corpus.validation), (std::vector<std::int32_t>{2, 3}));
  EXPECT_TRUE(Corpus::from_text("ab", {.validation_fraction = 0}).validation.empty());
  EXPECT_THROW(Corpus::from_text("", {}), InputError);
}

TEST(Corpus, KeepsAGivenVocabulary) {
  EXPECT_EQ(tokens(Corpus::from_text("ab", {.validation_fraction = 0}, Vocabulary(U"cba")).train),
            (std::vector<std::int32_t>{2, 1}));
  try {
    Corpus::from_text("aaaaaaaaax", {.validation_fraction = 0.5}, Vocabulary(U"ab"));
    FAIL();
  } catch (const InputError& error) {  // the position is in the whole text
    EXPECT_NE(std::string(error.what()).find("character 10,"), std::string::npos) << error.what();
  }
}

TEST(Corpus, HashIsThatOfTheCodePoints) {
  const auto hash_of_bytes = [](const std::string& text) {
    std::string bytes;
    for (const char32_t c : decode_utf8(text, "text")) {
      for (int k = 0; k < 4; ++k) bytes += static_cast<char>(c >> (8 * k));
    }
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    std::array<char, 33> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return std::string(hex.data());
  };
  std::string text;
  for (const std::size_t size : {1, 4095, 4096, 4097, 20000}) {  // up to several chunks
    for (std::size_t i = 0; text.size() < size; ++i) append_utf8(text, static_cast<char32_t>(0xA0 + i % 50000));
    EXPECT_EQ(Corpus::from_text(text, {}).hash, hash_of_bytes(text));
  }
  EXPECT_NE(Corpus::from_text("ab", {}).hash, Corpus::from_text("ba", {}).hash);
}

TEST(Corpus, TakesTheFirstCharactersInLowerCase) {
  const TextOptions options{.form = {.lowercase = true}, .first_characters = 4, .validation_fraction = 0};
  const Corpus corpus = Corpus::from_text("AbBaXYZ", options);
  EXPECT_EQ(corpus.vocabulary.content().entries, (Entries{"a", "b"}));
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{0, 1, 1, 0}));
  EXPECT_EQ(corpus.hash, Corpus::from_text("AbBaXYZ", {}).hash) << "of the text as it is";
}

TEST(Corpus, ThePrintableAlphabetIsPythons) {
  const Corpus corpus = Corpus::from_text("0aA! \n", {.alphabet = Alphabet::printable, .validation_fraction = 0});
  EXPECT_EQ(corpus.vocabulary.size(), 100);
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{0, 10, 36, 62, 94, 96}));
  EXPECT_EQ(corpus.vocabulary.entry(99), "\f");
  EXPECT_THROW(Corpus::from_text("é", {.alphabet = Alphabet::printable}), InputError);
}

TEST(Corpus, RareCharactersOfTheTrainingPartAreUnknown) {
  const TextOptions options{.min_frequency = 3, .padding_symbol = true, .validation_characters = 4};
  const Corpus corpus = Corpus::from_text("aaabbbcczzzz", options);  // z: in validation alone
  EXPECT_EQ(corpus.vocabulary.content().entries, (Entries{"<unk>", "<pad>", "a", "b"}));
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{2, 2, 2, 3, 3, 3, 0, 0}));
  EXPECT_EQ(tokens(corpus.validation), (std::vector<std::int32_t>{0, 0, 0, 0}));
  EXPECT_THROW(Corpus::from_text("abcd", {.validation_characters = 4}), InputError);
}

TEST(Corpus, RecordsStandBetweenBeginAndEnd) {
  const TextOptions options{.form = {.records = Records::lines}, .validation_fraction = 0.34};
  const Corpus corpus = Corpus::from_text("ab\nb\na\n", options);
  EXPECT_EQ(corpus.vocabulary.content().entries, (Entries{"<BOS>", "<EOS>", "a", "b"}));
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{0, 2, 3, 1}));
  EXPECT_EQ(corpus.train_ends, (std::vector<std::size_t>{4}));
  EXPECT_EQ(tokens(corpus.validation), (std::vector<std::int32_t>{0, 3, 1, 0, 2, 1}));
  EXPECT_EQ(corpus.validation_ends, (std::vector<std::size_t>{3, 6}));
}

TEST(Corpus, ValidationComesFromAFileOfItsOwn) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "train", "abab");
  write_file_atomically(folder / "other", "ba");
  const Corpus corpus = Corpus::read({{folder / "train"}, {folder / "other"}}, {});
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{0, 1, 0, 1}));
  EXPECT_EQ(tokens(corpus.validation), (std::vector<std::int32_t>{1, 0}));
  EXPECT_NE(corpus.hash, Corpus::read({{folder / "train", folder / "other"}}, {}).hash);
}

TEST(Corpus, DocumentsEndWithASymbolAndAreSplitWhole) {
  const test::TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) write_file_atomically(folder / name, "xyz");
  const TextOptions options{
      .form = {.documents = true}, .validation_fraction = 0.2, .validation_split = ValidationSplit::documents};
  const Corpus corpus = Corpus::read({{folder / "."}}, options);
  EXPECT_EQ(corpus.vocabulary.decode(corpus.train), "xyz<EOS>xyz<EOS>");
  EXPECT_EQ(corpus.vocabulary.decode(corpus.validation), "xyz<EOS>");
  EXPECT_THROW(Corpus::from_text("xyz", options), InputError) << "one document cannot be split whole";
}

TEST(Corpus, AGivenAlphabetBringsItsForm) {
  const Vocabulary words(rune::Vocabulary{{" ", "sea", "the"}, {.unit = Unit::word, .lowercase = true}});
  const Corpus corpus = Corpus::from_text("The SEA", {.validation_fraction = 0}, words);
  EXPECT_EQ(tokens(corpus.train), (std::vector<std::int32_t>{2, 0, 1}));
}

TEST(Corpus, UnknownUnitsAreLeftOutOnRequest) {
  const TextOptions options{.form = {.records = Records::lines}, .validation_fraction = 0};
  const Vocabulary vocabulary(rune::Vocabulary{{"<BOS>", "<EOS>", "a"}, options.form});
  const Corpus corpus = Corpus::from_text("ab\nba\n", options, vocabulary, Unknown::skip);
  EXPECT_EQ(corpus.vocabulary.decode(corpus.train), "<BOS>a<EOS><BOS>a<EOS>");
  EXPECT_EQ(corpus.train_ends, (std::vector<std::size_t>{3, 6}));
  EXPECT_EQ(corpus.unknown.occurrences, 2);
  try {
    Corpus::from_text("a\nab\n", options, vocabulary);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("record 2: the alphabet has no 'b' (U+0062) (character 2,"),
              std::string::npos)
        << error.what();
  }
}

TEST(Corpus, ACappedAlphabetReportsWhatBecameUnknown) {
  const Corpus corpus = Corpus::from_text("aaabbc", {.max_vocabulary = 2, .validation_fraction = 0});
  EXPECT_EQ(corpus.vocabulary.content().entries, (Entries{"<unk>", "a", "b"}));
  EXPECT_EQ(corpus.unknown.distinct, 1);
  EXPECT_EQ(corpus.unknown.occurrences, 1);
  EXPECT_EQ(corpus.unknown.most_frequent.front().first, "c");
}

TEST(Corpus, ValidationOfOneTokenIsNone) {
  const Corpus corpus = Corpus::from_text("abcde", {});
  EXPECT_EQ(corpus.train.size(), 5U);
  EXPECT_TRUE(corpus.validation.empty());
}

// No token is in both parts, and none is lost.
RC_GTEST_PROP(Corpus, TheTwoPartsAreTheText, ()) {
  const auto characters = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b', ' ', '\n')));
  const auto unit = *rc::gen::element(Unit::character, Unit::grapheme, Unit::byte, Unit::word);
  const auto fraction = *rc::gen::element(0.0, 0.1, 0.5, 0.9);
  const Corpus corpus = Corpus::from_text(characters, {.form = {.unit = unit}, .validation_fraction = fraction});
  RC_ASSERT(corpus.vocabulary.decode(corpus.train) + corpus.vocabulary.decode(corpus.validation) == characters);
}

// A million texts, in half a minute; with sanitizers as many as there is time for.
RC_GTEST_PROP(Corpus, EveryTextComesBackInEveryUnitAndEncoding, ()) {
#ifdef NDEBUG
  constexpr int kRepetitions = 10'000;
#else
  constexpr int kRepetitions = 5;
#endif
  for (int i = 0; i < kRepetitions; ++i) {
    const auto character = rc::gen::oneOf(
        rc::gen::inRange<std::uint32_t>(0, 0x80), rc::gen::inRange<std::uint32_t>(0x80, 0xD800),
        rc::gen::inRange<std::uint32_t>(0xE000, 0xFEFF), rc::gen::inRange<std::uint32_t>(0x10000, 0x110000),
        rc::gen::element<std::uint32_t>('\r', '\n', 0x85, 0x200D, 0x301, 0x4F60, 0x597D, 0xE01, 0xE32));
    std::string text;
    for (const std::uint32_t c : *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint32_t>>(character))) {
      append_utf8(text, c);
    }
    const auto unit = *rc::gen::element(Unit::character, Unit::grapheme, Unit::byte, Unit::word);
    const char* const encoding = *rc::gen::element("UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", "GB18030");
    const TextOptions options{.form = {.unit = unit, .raw = true}, .encoding = encoding, .validation_fraction = 0};
    const Corpus corpus = Corpus::from_text(test::encoded(text, encoding), options);
    RC_ASSERT(corpus.vocabulary.decode(corpus.train) == text);
  }
}

TEST(Corpus, WindowsThatAreSplitLeaveTheTextWhole) {
  const TextOptions options{.validation_fraction = 0.2, .validation_split = ValidationSplit::random_windows};
  const Corpus corpus = Corpus::from_text("abcabcabcd", options);
  EXPECT_EQ(corpus.train.size(), 10U);
  EXPECT_TRUE(corpus.validation.empty());
}

}  // namespace
}  // namespace rune::text
