#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace rune {
namespace {

std::string digits_of(std::string_view bytes) {
  Hash hash;
  hash.update(bytes);
  return hash.digits();
}

TEST(Hash, IsThatOfXxhsum) {
  EXPECT_EQ(digits_of(""), "99aa06d3014798d86001c324468d497f");  // xxhsum -H2 /dev/null
  EXPECT_NE(digits_of("a"), digits_of("b"));
}

TEST(Hash, DoesNotDependOnThePieces) {
  const std::string bytes(5000, 'x');
  for (const std::size_t piece : {1, 63, 240, 256, 4999}) {
    Hash hash;
    for (std::size_t i = 0; i < bytes.size(); i += piece) hash.update(std::string_view(bytes).substr(i, piece));
    EXPECT_EQ(hash.digits(), digits_of(bytes)) << piece;
  }
}

}  // namespace
}  // namespace rune
