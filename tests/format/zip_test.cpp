#include "format/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include "support/archives.h"

namespace rune::format {
namespace {

using test::zip;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::ThrowsMessage;

auto refuses(const std::string& message) { return ThrowsMessage<InputError>(HasSubstr(message)); }

TEST(Zip, ReadsStoredAndDeflatedFiles) {
  const std::string text = "a text that comes twice, a text that comes twice";
  for (const char* const compression : {"store", "deflate"}) {
    const std::string bytes = zip({{"m/one", text}, {"m/empty", ""}}, compression);
    EXPECT_TRUE(is_zip(bytes));
    EXPECT_THAT(read_zip(bytes, "file"), ElementsAre(Pair("m/empty", ""), Pair("m/one", text)));
  }
}

TEST(Zip, RefusesDamage) {
  const std::string bytes = zip({{"one", "content"}});
  std::string flipped = bytes;
  flipped[flipped.find("content")] ^= 1;
  EXPECT_THAT([&] { read_zip(flipped, "file.pt"); }, refuses("'file.pt' is not a zip archive that can be read"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(read_zip(bytes.substr(0, size), "file"), InputError) << size;
  }
}

TEST(Zip, RefusesAnEntryThatOccursTwice) {
  EXPECT_THAT([] { read_zip(zip({{"one", "a"}, {"one", "b"}}), "file"); }, refuses("\"one\" occurs twice"));
}

TEST(Zip, RefusesBombs) {
  EXPECT_THAT(
      [] {
        read_zip(zip({{"zeros", std::string(1 << 20, '\0')}}, "deflate"), "file");
      },
      refuses("\"zeros\", are more than 4 times as long"));
}

}  // namespace
}  // namespace rune::format
