#include "text/corpus_cache.h"

#include <gtest/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace rune::text {
namespace {

namespace fs = std::filesystem;

class CorpusCache : public testing::Test {
 protected:
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 50'000; ++i) text += i % 3 == 0 ? "über " : "line\r\n";
    write_file_atomically(folder_ / "text", text);
  }

  [[nodiscard]] Corpus read(const TextOptions& options = {}) const {
    return read_by_cache({{folder_ / "text"}}, options, std::nullopt, folder_ / "cache");
  }
  [[nodiscard]] fs::path only(const std::string& extension) const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(folder_ / "cache")) {
      if (entry.path().extension() != extension) continue;
      EXPECT_TRUE(found.empty()) << "more than one";
      found = entry.path();
    }
    return found;
  }
  static void expect_equal(const Corpus& a, const Corpus& b) {
    EXPECT_TRUE(std::ranges::equal(a.train, b.train));
    EXPECT_TRUE(std::ranges::equal(a.validation, b.validation));
    EXPECT_EQ(a.vocabulary, b.vocabulary);
    EXPECT_EQ(a.hash, b.hash);
    EXPECT_EQ(a.train_ends, b.train_ends);
    EXPECT_EQ(a.validation_ends, b.validation_ends);
    ASSERT_EQ(a.readings.size(), b.readings.size());
    EXPECT_EQ(a.readings[0].crlf, b.readings[0].crlf);
    EXPECT_EQ(a.unknown.occurrences, b.unknown.occurrences);
  }

  const test::TemporaryFolder folder_;
};

TEST_F(CorpusCache, GivesTheCorpusThatReadingGives) {
  for (const TextOptions& options : {TextOptions{}, TextOptions{.form = {.unit = Unit::byte}, .min_frequency = 20'000},
                                     TextOptions{.form = {.records = Records::lines}}}) {
    const Corpus direct = Corpus::read({{folder_ / "text"}}, options);
    expect_equal(read(options), direct);
    expect_equal(read(options), direct);  // from the file
  }
}

TEST_F(CorpusCache, AFileIsUsedAgainUntilTextOrOptionsChange) {
  (void)read();
  const auto written = fs::last_write_time(only(".tokens"));
  (void)read();
  EXPECT_EQ(fs::last_write_time(only(".tokens")), written);
  (void)read({.validation_fraction = 0.2});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache"), fs::directory_iterator()), 4);
  write_file_atomically(folder_ / "text", "another");
  EXPECT_EQ(read().size(), 7);
}

TEST_F(CorpusCache, ADamagedFileIsMadeAnew) {
  const Corpus whole = Corpus::read({{folder_ / "text"}}, {});
  for (const char* extension : {".tokens", ".corpus"}) {
    (void)read();
    const fs::path file = only(extension);
    std::string bytes = read_file(file);
    bytes[bytes.size() / 2] ^= 1;
    write_file_atomically(file, bytes);
    expect_equal(read(), whole);
    fs::resize_file(file, bytes.size() / 2);
    expect_equal(read(), whole);
    fs::remove(file);
    expect_equal(read(), whole);
  }
}

TEST_F(CorpusCache, WhatWasNotFinishedIsRemoved) {
  fs::create_directory(folder_ / "cache");
  write_file_atomically(folder_ / "cache/0123.2147483647.part", "left behind");
  write_file_atomically(folder_ / "cache/.0123.corpus.2147483647.tmp", "left behind");
  (void)read();
  EXPECT_TRUE(only(".part").empty());
  EXPECT_TRUE(only(".tmp").empty());
  EXPECT_THROW(read({.encoding = "no-such-encoding"}), InputError);
  EXPECT_TRUE(only(".part").empty());
}

}  // namespace
}  // namespace rune::text
