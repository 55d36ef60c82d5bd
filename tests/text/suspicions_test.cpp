#include "text/suspicions.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rune::text {
namespace {

using Kind = Suspicion::Kind;

TEST(Suspicions, AnHonestTextHasNone) {
  EXPECT_TRUE(
      find_suspicions("Plain text,\twith é, ÄÖÜ, “quotes” – and \u4f60\u597d.\nАнна Каренина. Ελλάδα.\n").empty());
}

TEST(Suspicions, EachIsCountedWithItsFirstPlace) {
  const std::vector<std::pair<std::string, Suspicion>> cases{
      {"a\x01"
       "b\x1b",
       {Kind::control, 2, "\x01"}},
      {"zero\u200Bwidth", {Kind::invisible, 1, "\u200B"}},
      {"caf\uFFFD \uFFFD \xff", {Kind::replacement, 3, "\uFFFD"}},
      {"\uE000", {Kind::unassigned, 1, "\uE000"}},
      {"cafÃ© und â€œWortâ€\u009D", {Kind::mojibake, 3, "Ã©"}},
      {"p\u0430ypal paypal \u043f\u0430\u043f\u0430", {Kind::look_alike, 1, "p\u0430ypal"}},
  };
  for (const auto& [text, expected] : cases) {
    bool found = false;
    for (const Suspicion& suspicion : find_suspicions(text)) {
      if (suspicion.kind != expected.kind) continue;
      found = true;
      EXPECT_EQ(suspicion.count, expected.count) << text;
      EXPECT_EQ(suspicion.first, expected.first) << text;
    }
    EXPECT_TRUE(found) << text;
  }
}

}  // namespace
}  // namespace rune::text
