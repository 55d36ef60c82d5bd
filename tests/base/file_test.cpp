#include "base/file.h"

#include <gtest/gtest.h>
#include <rune/error.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace rune {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "rune-file-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] fs::path path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
  }

  template <class Call>
  static std::string error_of(Call call) {
    try {
      call();
    } catch (const FileError& error) {
      return error.what();
    }
    return "no FileError";
  }

 private:
  fs::path directory_;
};

TEST_F(File, WhatIsWrittenIsRead) {
  for (const std::size_t size : {0, 1, 4095, 4096, 300000, 5000000}) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 7);
    write_file_atomically(path("content"), content);
    EXPECT_EQ(read_file(path("content")), content);
    EXPECT_EQ(FileContent::read(path("content")).bytes(), content);
    EXPECT_EQ(FileContent(content).bytes(), content);
  }
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, PartsAreWrittenOneAfterTheOther) {
  const std::array<std::string_view, 4> parts{"one ", "", "two ", "three"};
  write_file_atomically(path("content"), parts);
  EXPECT_EQ(read_file(path("content")), "one two three");
}

TEST_F(File, ANameWithoutADirectoryIsInTheCurrentOne) {
  const fs::path before = fs::current_path();
  fs::current_path(path("."));
  write_file_atomically("content", "here");
  fs::current_path(before);
  EXPECT_EQ(read_file(path("content")), "here");
}

TEST_F(File, FilesThatDoNotKnowTheirSizeAreReadWhole) {
  EXPECT_NE(read_file("/proc/self/status").find("Threads:"), std::string::npos);
  EXPECT_NE(FileContent::read("/proc/self/status").bytes().find("Threads:"), std::string::npos);
}

TEST_F(File, ErrorsNameTheFileAndTheCause) {
  const std::string missing = path("missing").string();
  EXPECT_EQ(error_of([&] { read_file(missing); }), "could not open '" + missing + "': No such file or directory");
  const std::string error = error_of([&] { write_file_atomically(path("missing/content"), "x"); });
  EXPECT_NE(error.find("missing/.content."), std::string::npos) << error;
  EXPECT_NE(error.find("No such file or directory"), std::string::npos) << error;
}

TEST_F(File, OnlyRegularFilesAreReadOrReplaced) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  fs::create_directory(path("directory"));
  const auto expect_refused = [](const fs::path& file, const std::string& kind) {
    const std::string message = "expected a regular file, found " + kind + ": '" + file.string() + "'";
    EXPECT_EQ(error_of([&] { read_file(file); }), message);
    EXPECT_EQ(error_of([&] { write_file_atomically(file, "x"); }), message);
  };
  expect_refused(path("pipe"), "a pipe");
  expect_refused(path("directory"), "a directory");
  expect_refused("/dev/null", "a device");
  EXPECT_EQ(entries(), 2);
}

TEST_F(File, LinksAndReadOnlyFilesAreNotReplaced) {
  write_file_atomically(path("content"), "old");
  fs::create_symlink("content", path("link"));
  EXPECT_EQ(error_of([&] { write_file_atomically(path("link"), "x"); }),
            "expected a regular file, found a symbolic link: '" + path("link").string() + "'");
  fs::permissions(path("content"), fs::perms::owner_read);
  EXPECT_EQ(error_of([&] { write_file_atomically(path("content"), "x"); }),
            "could not replace the read-only file '" + path("content").string() + "': Permission denied");
  EXPECT_EQ(read_file(path("link")), "old");
  EXPECT_EQ(entries(), 2);
}

TEST_F(File, TheReplacedFileStaysWhereThatIsAskedFor) {
  const auto write = [&](std::string_view content) {
    write_file_atomically(path("content"), std::span(&content, 1), path("older"));
  };
  write("one");
  EXPECT_FALSE(fs::exists(path("older")));
  write("two");
  EXPECT_EQ(read_file(path("older")), "one");
  write("three");
  EXPECT_EQ(read_file(path("older")), "two");
  EXPECT_EQ(read_file(path("content")), "three");
  fs::remove(path("content"));
  write("four");
  EXPECT_EQ(read_file(path("older")), "two") << "there was nothing else to keep";
  EXPECT_EQ(entries(), 2);
}

TEST_F(File, NoLinkIsFollowedToWhatIsWrittenWhereItLies) {
  write_file_atomically(path("precious"), "precious");
  fs::create_symlink("precious", path("link"));
  const std::string expected = "expected a regular file, found a symbolic link: '" + path("link").string() + "'";
  EXPECT_EQ(error_of([&] { append_to_file(path("link"), "x"); }), expected);
  EXPECT_EQ(error_of([&] { cut_file(path("link"), 1); }), expected);
  EXPECT_EQ(error_of([&] { const FileLock lock(path("link"), "it"); }), expected);
  EXPECT_EQ(read_file(path("precious")), "precious");
}

TEST_F(File, CuttingLeavesTheBeginning) {
  cut_file(path("missing"), 3);
  EXPECT_FALSE(fs::exists(path("missing")));
  write_file_atomically(path("content"), "abcdef");
  cut_file(path("content"), 9);
  EXPECT_EQ(read_file(path("content")), "abcdef");
  cut_file(path("content"), 3);
  EXPECT_EQ(read_file(path("content")), "abc");
}

TEST_F(File, AppendingAddsAtTheEnd) {
  append_to_file(path("log"), "one\n");
  append_to_file(path("log"), "two\n");
  EXPECT_EQ(read_file(path("log")), "one\ntwo\n");
  EXPECT_EQ(error_of([&] { append_to_file(path("missing/log"), "x"); }),
            "could not open '" + path("missing/log").string() + "': No such file or directory");
  EXPECT_EQ(error_of([] { append_to_file("/dev/full", "x"); }), "could not write '/dev/full': No space left on device");
}

TEST_F(File, ALockHasOneHolderAndNamesIt) {
  {
    const FileLock lock(path("lock"), "the run");
    const std::string error = error_of([&] { const FileLock second(path("lock"), "the run"); });
    EXPECT_TRUE(error.starts_with("the run is in use by process " + std::to_string(getpid()) + " on ")) << error;
    EXPECT_NE(error.find(" since 20"), std::string::npos) << error;
  }
  const FileLock again(path("lock"), "the run");
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, TheLockOfAKilledProcessIsFree) {
  const pid_t child = fork();
  if (child == 0) {
    const FileLock lock(path("lock"), "the run");
    kill(getpid(), SIGKILL);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_NE(read_file(path("lock")).find("process " + std::to_string(child)), std::string::npos);
  const FileLock lock(path("lock"), "the run");
}

TEST_F(File, OnlyTemporaryFilesAreCleanedAway) {
  for (const char* name : {".content.123.tmp", ".content.123.4.tmp", ".tmp", "content.123.tmp", ".content.tmp"}) {
    std::ofstream(path(name)) << "half";
  }
  remove_temporary_files(path("."));
  EXPECT_EQ(entries(), 3);
  EXPECT_FALSE(fs::exists(path(".content.123.4.tmp")));
  remove_temporary_files(path("missing"));
}

TEST_F(File, AFailedWriteLeavesTheOldFileAndNoTemporary) {
  write_file_atomically(path("content"), "old");

  struct rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = before;
  limit.rlim_cur = 1000;  // the first write is short, the second fails
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string error = error_of([&] { write_file_atomically(path("content"), std::string(5000, 'x')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);

  EXPECT_EQ(error, "could not write '" + path("content").string() + "': File too large");
  EXPECT_EQ(read_file(path("content")), "old");
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, ATemporaryLeftByAKilledProcessIsNoHindrance) {
  const fs::path left = path(".content." + std::to_string(getpid()) + ".tmp");
  std::ofstream(left) << "half";
  write_file_atomically(path("content"), "whole");
  EXPECT_EQ(read_file(path("content")), "whole");
  EXPECT_EQ(read_file(left), "half");
  EXPECT_EQ(entries(), 2);
}

}  // namespace
}  // namespace rune
