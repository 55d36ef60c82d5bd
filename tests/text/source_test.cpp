#include "text/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace rune::text {
namespace {

namespace fs = std::filesystem;

using Found = std::vector<std::pair<std::string, std::string>>;

Found found(const std::vector<fs::path>& paths, const std::string& include = "") {
  Found found;
  for_documents(paths, include, [&](const Document& document) {
    found.emplace_back(fs::path(document.name).filename().string(), document.bytes);
  });
  return found;
}

/// An archive of two files, or one file that is compressed.
void pack(const fs::path& path, int format, int filter, const Found& files) {
  struct archive* const archive = archive_write_new();
  archive_write_add_filter(archive, filter);
  archive_write_set_format(archive, format);
  archive_write_open_filename(archive, path.c_str());
  for (const auto& [name, content] : files) {
    struct archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(archive, entry);
    archive_write_data(archive, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(archive);
  archive_write_free(archive);
}

TEST(Source, DirectoriesAreWalkedInTheOrderOfNames) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "poems/more");
  fs::create_directories(folder / "poems/.git");
  for (const char* name :
       {"poems/b.txt", "poems/a.txt", "poems/more/c.txt", "poems/.hidden.txt", "poems/.git/d.txt", "poems/notes.md"}) {
    write_file_atomically(folder / name, name);
  }
  EXPECT_EQ(found({folder / "poems"}, "*.txt"),
            (Found{{"a.txt", "poems/a.txt"}, {"b.txt", "poems/b.txt"}, {"c.txt", "poems/more/c.txt"}}));
  EXPECT_EQ(found({folder / "poems"}).size(), 4U);
  EXPECT_THROW(found({folder / "poems"}, "*.doc"), InputError);
}

TEST(Source, ArchivesAndCompressedFilesAreUnpacked) {
  const test::TemporaryFolder folder;
  const Found files{{"one.txt", "first"}, {"two.md", "second"}};
  pack(folder / "a.tar.gz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, files);
  pack(folder / "a.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, files);
  pack(folder / "a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, files);
  for (const char* name : {"a.tar.gz", "a.tar", "a.zip"}) {
    EXPECT_EQ(found({folder / name}), files) << name;
    EXPECT_EQ(found({folder / name}, "*.md").size(), 1U) << name;
  }
  pack(folder / "book.txt.xz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, {{"book", std::string(3'000'000, 'x')}});
  const Found book = found({folder / "book.txt.xz"});
  ASSERT_EQ(book.size(), 1U);
  EXPECT_EQ(book.front(), (std::pair<std::string, std::string>{"book.txt.xz", std::string(3'000'000, 'x')}));
}

TEST(Source, WhatUnpacksToFarMoreThanATextIsRefused) {
  const test::TemporaryFolder folder;
  pack(folder / "bomb.zst", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD, {{"bomb", std::string(100'000'000, 'x')}});
  ASSERT_LT(fs::file_size(folder / "bomb.zst"), 20'000U);
  EXPECT_THAT([&] { (void)found({folder / "bomb.zst"}); },
              testing::ThrowsMessage<InputError>(testing::HasSubstr("at most 1000 times its size")));
}

TEST(Source, ADamagedArchiveIsAnError) {
  const test::TemporaryFolder folder;
  pack(folder / "a.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, {{"a", std::string(100'000, 'x')}});
  std::string bytes = read_file(folder / "a.gz");
  write_file_atomically(folder / "cut.gz", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT([&] { found({folder / "cut.gz"}); }, testing::ThrowsMessage<InputError>(testing::HasSubstr("cut.gz")));
}

TEST(Source, LargeFilesAreTheSame) {
  const test::TemporaryFolder folder;
  const std::string large(70'000'000, 'y');
  write_file_atomically(folder / "large", large);
  EXPECT_TRUE(found({folder / "large"}).front().second == large);
  EXPECT_EQ(size_of(std::vector<fs::path>{folder / "large", folder / "."}), 140'000'000U);
}

}  // namespace
}  // namespace rune::text
