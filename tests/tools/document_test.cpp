#include "tools/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rune::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Document, TextNeverBecomesMarkup) {
  const std::string hostile = "<script>alert(1)</script> & \"x\" | *b* `c` [d](e) \n # f";
  Document document(hostile);
  document.paragraph(hostile);
  document.items({hostile});
  document.table({hostile}, {{hostile}});
  document.preformatted(hostile);
  document.picture("<?xml version=\"1.0\"?>\n<svg id=\"s\"></svg>", "a.svg", hostile);
  EXPECT_THAT(document.html(), Not(HasSubstr("<script>")));
  EXPECT_THAT(document.html(), HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(document.html(), Not(HasSubstr("<?xml")));
  EXPECT_THAT(document.html(), HasSubstr("<svg id=\"s\">"));
  EXPECT_THAT(document.markdown(), HasSubstr("\\<script\\>"));
  EXPECT_THAT(document.markdown(), HasSubstr("\\|"));
  EXPECT_THAT(document.markdown(), HasSubstr("](a.svg)"));
}

TEST(Document, AFenceIsLongerThanAnyInItsText) {
  Document document("t");
  document.preformatted("a\n````\nb\x1b");
  EXPECT_THAT(document.markdown(), HasSubstr("`````text\na\n````\nb\\x1b\n`````\n"));
}

TEST(Document, TablesHaveARowForEach) {
  Document document("t");
  document.table({"system", "loss"}, {{"a", "1.5"}, {"b", "2"}});
  EXPECT_THAT(document.markdown(), HasSubstr("| system | loss |\n| --- | ---: |\n| a | 1.5 |\n| b | 2 |\n"));
  EXPECT_THAT(document.html(), HasSubstr("<tr><td>a</td><td>1.5</td></tr>"));
}

}  // namespace
}  // namespace rune::tools
