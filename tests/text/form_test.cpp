#include "text/form.h"

#include <gtest/gtest.h>

#include <string>

namespace rune::text {
namespace {

std::string lowercase(std::string_view text) { return treated(text, {.lowercase = true}); }

TEST(Form, ThePlainOneLeavesATextAlone) { EXPECT_EQ(treated("A\xff\u0130", {}), "A\xff\u0130"); }

// What Python 3.11's str.lower() gives.
TEST(Form, LowerCaseIsPythons) {
  EXPECT_EQ(lowercase("ABC xyz ÄÖÜ ÉÈ ẞ"), "abc xyz äöü éè ß");
  EXPECT_EQ(lowercase("\u0130"), "i\u0307") << "I with a dot above becomes two characters";
  EXPECT_EQ(lowercase("ΟΔΟΣ ΣΟΦΟΣ"), "οδος σοφος") << "sigma at the end of a word";
  EXPECT_EQ(lowercase("\U00010400"), "\U00010428") << "beyond the first 65,536";
  EXPECT_EQ(lowercase(""), "");
}

TEST(Form, CaseFoldingGoesFurther) { EXPECT_EQ(treated("Straße ΣΟΦΟΣ", {.fold_case = true}), "strasse σοφοσ"); }

TEST(Form, NormalFormsAreUnicodes) {
  EXPECT_EQ(treated("e\u0301 \ufb01", {.normalize = Normalization::nfc}), "\u00e9 \ufb01");
  EXPECT_EQ(treated("e\u0301 \ufb01", {.normalize = Normalization::nfkc}), "\u00e9 fi");
}

TEST(Form, BytesThatAreNoCharacterStay) {
  EXPECT_EQ(treated("A\xff\xc3(\xe2\x82Z", {.lowercase = true}), "a\xff\xc3(\xe2\x82z");
}

}  // namespace
}  // namespace rune::text
