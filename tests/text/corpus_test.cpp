#include "text/corpus.h"

#include <gtest/gtest.h>
#include <rune/error.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

namespace rune::text {
namespace {

namespace fs = std::filesystem;

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
  static std::u32string read(const std::vector<fs::path>& paths) { return read_text(paths); }

 private:
  fs::path directory_;
};

TEST_F(ReadText, JoinsFilesInTheOrderGiven) {
  const fs::path one = file("one", "1é\n");
  const fs::path two = file("two", "2");
  EXPECT_EQ(read({one, two, one}), U"1é\n21é\n");
}

TEST_F(ReadText, LineEndsBecomeNewlines) {
  EXPECT_EQ(read({file("crlf", "\r\na\r\n\r\nb\rc\r\r\nd\n\r")}), U"\na\n\nb\rc\r\nd\n\r");
  EXPECT_EQ(read({file("cr", "a\r"), file("lf", "\nb")}), U"a\r\nb");  // not one line end: two files
}

TEST_F(ReadText, AByteOrderMarkIsDroppedAtAFilesStartOnly) {
  const fs::path marked = file("marked",
                               "\xef\xbb\xbf"
                               "a\xef\xbb\xbf"
                               "b");
  EXPECT_EQ(read({marked, marked}), U"a\uFEFFba\uFEFFb");
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
  EXPECT_EQ(read({file("empty", ""), file("full", "a")}), U"a");
}

TEST(SplitPoint, CutsAsTheNotebooksDo) {
  EXPECT_EQ(split_point(1985223, 0.1), 1786700u);
  EXPECT_EQ(split_point(10, 0.0), 10u);
  EXPECT_EQ(split_point(10, 0.5), 5u);
  EXPECT_EQ(split_point(0, 0.1), 0u);
  for (const double fraction : {-0.1, 1.0, 2.0, std::nan("")}) EXPECT_THROW(split_point(10, fraction), InputError);
}

TEST(Corpus, IsTheTextCutInTwo) {
  const Corpus corpus = Corpus::from_text(U"abcabcabcd", {.validation_fraction = 0.2});
  EXPECT_EQ(corpus.vocabulary.characters(), U"abcd");
  EXPECT_EQ(corpus.train, (std::vector<std::int32_t>{0, 1, 2, 0, 1, 2, 0, 1}));
  EXPECT_EQ(corpus.validation, (std::vector<std::int32_t>{2, 3}));
  EXPECT_TRUE(Corpus::from_text(U"ab", {.validation_fraction = 0}).validation.empty());
  EXPECT_THROW(Corpus::from_text(U"", {}), InputError);
}

TEST(Corpus, KeepsAGivenVocabulary) {
  EXPECT_EQ(Corpus::from_text(U"ab", {.validation_fraction = 0}, Vocabulary(U"cba")).train,
            (std::vector<std::int32_t>{2, 1}));
  try {
    Corpus::from_text(U"aaaaaaaaax", {.validation_fraction = 0.5}, Vocabulary(U"ab"));
    FAIL();
  } catch (const InputError& error) {  // the position is in the whole text
    EXPECT_NE(std::string(error.what()).find("character 10,"), std::string::npos) << error.what();
  }
}

TEST(Corpus, HashIsThatOfTheCodePoints) {
  const auto hash_of_bytes = [](const std::u32string& text) {
    std::string bytes;
    for (const char32_t c : text) {
      for (int k = 0; k < 4; ++k) bytes += static_cast<char>(c >> (8 * k));
    }
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    std::array<char, 33> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return std::string(hex.data());
  };
  std::u32string text;
  for (const std::size_t size : {1, 4095, 4096, 4097, 20000}) {  // up to several chunks
    while (text.size() < size) text += static_cast<char32_t>(32 + text.size() % 70000);
    EXPECT_EQ(Corpus::from_text(text, {}).hash, hash_of_bytes(text));
  }
  EXPECT_NE(Corpus::from_text(U"ab", {}).hash, Corpus::from_text(U"ba", {}).hash);
}

TEST(Corpus, TakesTheFirstCharactersInLowerCase) {
  const TextOptions options{.first_characters = 4, .lowercase = true, .validation_fraction = 0};
  const Corpus corpus = Corpus::from_text(U"AbBaXYZ", options);
  EXPECT_EQ(corpus.vocabulary.characters(), U"ab");
  EXPECT_EQ(corpus.train, (std::vector<std::int32_t>{0, 1, 1, 0}));
  EXPECT_EQ(corpus.hash, Corpus::from_text(U"AbBaXYZ", {}).hash) << "of the text as it is";
}

TEST(Corpus, ThePrintableAlphabetIsPythons) {
  const Corpus corpus = Corpus::from_text(U"0aA! \n", {.alphabet = Alphabet::printable, .validation_fraction = 0});
  EXPECT_EQ(corpus.vocabulary.size(), 100);
  EXPECT_EQ(corpus.train, (std::vector<std::int32_t>{0, 10, 36, 62, 94, 96}));
  EXPECT_EQ(corpus.vocabulary.character(99), U'\f');
  EXPECT_THROW(Corpus::from_text(U"é", {.alphabet = Alphabet::printable}), InputError);
}

TEST(Corpus, RareCharactersOfTheTrainingPartAreUnknown) {
  const TextOptions options{.min_frequency = 3, .padding_symbol = true, .validation_characters = 4};
  const Corpus corpus = Corpus::from_text(U"aaabbbcczzzz", options);  // z: in validation alone
  EXPECT_EQ(corpus.vocabulary.characters(), (std::u32string{kUnknownSymbol, kPaddingSymbol, U'a', U'b'}));
  EXPECT_EQ(corpus.train, (std::vector<std::int32_t>{2, 2, 2, 3, 3, 3, 0, 0}));
  EXPECT_EQ(corpus.validation, (std::vector<std::int32_t>{0, 0, 0, 0}));
  EXPECT_THROW(Corpus::from_text(U"abcd", {.validation_characters = 4}), InputError);
}

TEST(Corpus, RecordsStandBetweenBeginAndEnd) {
  const TextOptions options{.records = Records::lines, .validation_fraction = 0.34};
  const Corpus corpus = Corpus::from_text(U"ab\nb\na\n", options);
  EXPECT_EQ(corpus.vocabulary.characters(), (std::u32string{kBeginSymbol, kEndSymbol, U'a', U'b'}));
  EXPECT_EQ(corpus.train, (std::vector<std::int32_t>{0, 2, 3, 1}));
  EXPECT_EQ(corpus.train_ends, (std::vector<std::size_t>{4}));
  EXPECT_EQ(corpus.validation, (std::vector<std::int32_t>{0, 3, 1, 0, 2, 1}));
  EXPECT_EQ(corpus.validation_ends, (std::vector<std::size_t>{3, 6}));
}

TEST(Corpus, WindowsThatAreSplitLeaveTheTextWhole) {
  const TextOptions options{.validation_fraction = 0.2, .validation_split = ValidationSplit::random_windows};
  const Corpus corpus = Corpus::from_text(U"abcabcabcd", options);
  EXPECT_EQ(corpus.train.size(), 10U);
  EXPECT_TRUE(corpus.validation.empty());
}

}  // namespace
}  // namespace rune::text
