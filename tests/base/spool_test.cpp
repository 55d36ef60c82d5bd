#include "base/spool.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include <rune/error.h>

namespace rune {
namespace {

TEST(Spool, GivesBackWhatItGotFromMemoryAndFromItsFile) {
  for (const std::size_t most : {0, 5, 1000, 100'000}) {
    Spool spool(most);
    std::string expected;
    EXPECT_EQ(spool.size(), 0U);
    for (int i = 0; i < 3000; ++i) {
      const std::string piece = std::to_string(i);
      spool.append(piece);
      expected += piece;
    }
    EXPECT_EQ(spool.size(), expected.size());
    EXPECT_EQ(spool.bytes(), expected) << most;
    EXPECT_EQ(spool.bytes(), expected) << most;
  }
  EXPECT_EQ(Spool(10).bytes(), "");
}

TEST(Spool, AFolderThatIsNotThereIsAnError) {
  const char* const before = std::getenv("TMPDIR");
  const std::string folder = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/dev/null", 1);
  Spool spool(0);
  EXPECT_THROW(spool.append("x"), FileError);
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", folder.c_str(), 1);
}

}  // namespace
}  // namespace rune
