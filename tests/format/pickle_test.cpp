#include "format/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <array>

#include "support/pickles.h"

namespace rune::format {
namespace {

using namespace test::pickle;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::array<std::string_view, 1> kAllowed{"some.function"};

Pickle parse(const std::string& bytes) { return Pickle::parse(bytes, kAllowed, "file"); }

auto refuses(const std::string& message) { return ThrowsMessage<InputError>(HasSubstr(message)); }

TEST(Pickle, ReadsValuesOfAllKinds) {
  const Pickle pickle = parse(whole(dictionary({{"none", "N"},
                                                {"true", "\x88"},
                                                {"one byte", "K\xff"},
                                                {"two bytes", "M\xff\xff"},
                                                {"four bytes", integer(0xfffffffe)},
                                                {"long", std::string("\x8a\x02\x00\x80", 4)},
                                                {"half", std::string("G\x3f\xe0\0\0\0\0\0\0", 9)},
                                                {"list", "](" + text("é") + "K\x01" + "e"},
                                                {"call", call(global("some", "function"), {"K\x07"})}})));
  const auto& entries = pickle.root().get_if<Pickle::Dictionary>()->entries;
  const auto value = [&](std::size_t i) { return entries.at(i).second; };
  EXPECT_NE(value(0)->get_if<Pickle::None>(), nullptr);
  EXPECT_TRUE(*value(1)->get_if<bool>());
  EXPECT_EQ(*value(2)->get_if<std::int64_t>(), 255);
  EXPECT_EQ(*value(3)->get_if<std::int64_t>(), 65535);
  EXPECT_EQ(*value(4)->get_if<std::int64_t>(), -2);
  EXPECT_EQ(*value(5)->get_if<std::int64_t>(), -32768);
  EXPECT_EQ(*value(6)->get_if<double>(), 0.5);
  EXPECT_EQ(*value(7)->get_if<Pickle::Sequence>()->items.at(0)->get_if<std::string>(), "é");
  const auto* const made = value(8)->get_if<Pickle::Call>();
  EXPECT_EQ(made->function, "some.function");
  EXPECT_EQ(*made->arguments->get_if<Pickle::Sequence>()->items.at(0)->get_if<std::int64_t>(), 7);
}

TEST(Pickle, EndsWhereItStops) {
  const std::string first = whole("N");
  EXPECT_EQ(parse(first + "more").size(), first.size());
}

TEST(Pickle, RemembersValues) {
  // x = []; x.append(x)
  const Pickle circle = parse(whole(std::string("]q\0h\0a", 6)));
  EXPECT_EQ(circle.root().get_if<Pickle::Sequence>()->items.at(0), &circle.root());
  EXPECT_THAT([] { parse(whole("h\x05")); }, refuses("value 5 has not been remembered"));
}

TEST(Pickle, OrderedDictIsADictionaryAndItsAttributesAreIgnored) {
  const Pickle pickle = parse(whole(call(global("collections", "OrderedDict"), {}) + text("a") + "K\x01s" +
                                    dictionary({{"_metadata", "N"}}) + 'b'));
  EXPECT_EQ(pickle.root().get_if<Pickle::Dictionary>()->entries.size(), 1U);
}

TEST(Pickle, RefusesEveryOtherNameByName) {
  EXPECT_THAT([] { parse(whole(call(global("os", "system"), {text("true")}))); }, refuses("\"os.system\""));
  EXPECT_THAT([] { parse(whole(text("os") + text("system") + '\x93')); }, refuses("\"os.system\""));
  EXPECT_THAT([] { parse(whole(global("some", "function\u00e9"))); }, refuses("\"some.function\\u00e9\""));
  EXPECT_NO_THROW(parse(whole(global("some", "function"))));
}

TEST(Pickle, RefusesOperationsThatMakeObjects) {
  const std::string function = global("some", "function");
  for (const std::string& operations : {function + ")\x81", "(" + function + 'o', std::string("(isome\nfunction\n"),
                                        std::string("\x82\x01"), function + ")}\x92"}) {
    EXPECT_THAT([&] { parse(whole(operations)); }, refuses("found the operation 0x")) << operations;
  }
  EXPECT_THAT([&] { parse(whole(call(function, {}) + "}b")); }, refuses("attributes of an OrderedDict"));
}

TEST(Pickle, RefusesWhatLeavesItsBounds) {
  EXPECT_THAT([] { parse(""); }, refuses("expected 1 more bytes, found 0"));
  EXPECT_THAT([] { parse("("); }, refuses("protocol 2 to 5"));
  EXPECT_THAT([] { parse("\x80\x06."); }, refuses("found 6"));
  EXPECT_THAT([] { parse(whole("X\xff\xff\xff\xff")); }, refuses("expected 4294967295 more bytes"));
  EXPECT_THAT([] { parse(whole("\x8d" + std::string(8, '\xff'))); },
              refuses("expected 18446744073709551615 more bytes"));
  for (const char* const operations : {"", "0", "2", "q\x01", "R", "Na", "Ns", "e", "t", "\x85", "1", "(0", "N(\x86"}) {
    EXPECT_THROW(parse(whole(operations)), InputError) << operations;
  }
  EXPECT_THAT([] { parse(whole("}(NNNu")); }, refuses("a value for each key"));
  EXPECT_THAT([] { parse(whole(")Na")); }, refuses("a tuple"));
  EXPECT_THAT([] { parse(whole(std::string(5000, '('))); }, refuses("1000 deep"));
}

TEST(Pickle, DepthTakesNoStack) {
  const int depth = 1'000'000;
  const Pickle pickle = parse(whole(")" + std::string(depth, '\x85')));
  EXPECT_EQ(pickle.values().size(), static_cast<std::size_t>(depth) + 1);
}

}  // namespace
}  // namespace rune::format
