#include <gmock/gmock.h>

#include <cstdlib>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::HasSubstr;

class Compress : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(1500));
    write("other.txt", sentences(300, 2) + "\r\nÀ\xff\n");
    ASSERT_EQ(run(training("book.txt", "run", {"--steps", "60"})).exit_code, 0);
  }
  void TearDown() override {
    unsetenv("RUNE_ISA");
    ProgramTest::TearDown();
  }
  void succeeds(const Arguments& arguments) const {
    const Result result = run(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
};

TEST_F(Compress, AFileComesBackFromEveryInstructionSetToEveryOther) {
  std::vector<std::string> sets;
  for (const char* isa : {"baseline", "avx2", "avx512", "amx", "neon"}) {
    setenv("RUNE_ISA", isa, 1);
    const Result result = run({"compress", "run", "other.txt", "-o", std::string(isa) + ".rune", "--streams", "7"});
    if (result.err.find("this processor and this build run") != std::string::npos) continue;
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("bits per character"));
    sets.emplace_back(isa);
  }
  ASSERT_FALSE(sets.empty());
  const std::string text = read("other.txt");
  for (const std::string& from : sets) {
    EXPECT_EQ(read(from + ".rune"), read(sets.front() + ".rune")) << from;
    EXPECT_LT(read(from + ".rune").size(), text.size() * 3 / 4);
    for (const std::string& to : sets) {
      setenv("RUNE_ISA", to.c_str(), 1);
      succeeds({"decompress", "run", from + ".rune", "-o", "back.txt"});
      EXPECT_EQ(read("back.txt"), text) << from << " to " << to;
      std::filesystem::remove(path("back.txt"));
    }
  }
}

TEST_F(Compress, TheModelCountsAndNotItsFile) {
  succeeds({"export", "run", "--weights-only", "-o", "small.safetensors"});
  succeeds({"compress", "small.safetensors", "other.txt", "-o", "packed"});
  succeeds({"decompress", "run", "packed", "-o", "back.txt"});
  EXPECT_EQ(read("back.txt"), read("other.txt"));
}

TEST_F(Compress, StandardInputAndTheEmptyFile) {
  Result result = run({"compress", "run", "-", "-o", "packed"}, path("other.txt").string());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  result = run({"decompress", "run", "-", "-o", "back.txt"}, path("packed").string());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read("back.txt"), read("other.txt"));
  write("empty", "");
  succeeds({"compress", "run", "empty", "-o", "packed"});
  succeeds({"decompress", "run", "packed", "-o", "back.txt"});
  EXPECT_EQ(read("back.txt"), "");
}

TEST_F(Compress, WhatCannotBeUnpackedLeavesTheFileThatIsThere) {
  succeeds({"compress", "run", "other.txt", "-o", "packed"});
  write("back.txt", "precious");
  write("short", read("packed").substr(0, 100));
  Result result = run({"decompress", "run", "short", "-o", "back.txt"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("'short': expected a packed text as it was written"));
  result = run({"decompress", "run", "other.txt", "-o", "back.txt"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("'other.txt': expected a text packed by rune compress"));
  succeeds(training("book.txt", "stranger", {"--steps", "1", "--seed", "2"}));
  result = run({"decompress", "stranger", "packed", "-o", "back.txt"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("'packed' was packed with another model"));
  EXPECT_EQ(read("back.txt"), "precious");
}

TEST_F(Compress, AMissingOutputIsAWrongUsage) {
  EXPECT_EQ(run({"compress", "run", "other.txt"}).exit_code, 2);
  EXPECT_EQ(run({"decompress", "run", "other.txt"}).exit_code, 2);
}

}  // namespace
}  // namespace rune::test
