#include "format/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include "support/pickles.h"

// What PyTorch itself writes is read in tests/exchange.
namespace rune::format {
namespace {

using namespace test::pickle;
using test::older_torch_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kTwoFloats("\0\0\x80\x3f\0\0\x00\xc0", 8);  // 1, -2

TorchFile parse(const std::string& bytes) {
  EXPECT_TRUE(TorchFile::recognizes(bytes));
  return TorchFile::parse(bytes, "file");
}
auto refuses(const std::string& message) { return ThrowsMessage<InputError>(HasSubstr(message)); }

TEST(TorchFile, FlattensDictionaries) {
  const TorchFile file = parse(
      older_torch_file(dictionary({{"n_hidden", integer(5)},
                                   {"tokens", tuple({text("a"), text("b")})},
                                   {"numbers", tuple({integer(1)})},
                                   {"state_dict", dictionary({{"fc.weight", tensor("s", 1, 2, "FloatStorage", "N")},
                                                              {"steps", tensor("t", 1, 1, "LongStorage", "N")}})}}),
                       {{"s", 2, kTwoFloats}, {"t", 1, std::string(8, '\0')}}));
  EXPECT_EQ(file.integers().at("n_hidden"), 5);
  EXPECT_EQ(file.lists().size(), 1U);
  EXPECT_THAT(file.lists().at("tokens"), ElementsAre("a", "b"));
  ASSERT_EQ(file.arrays().size(), 1U) << "integers are no weights";
  EXPECT_EQ(file.arrays()[0].name, "state_dict/fc.weight");
  EXPECT_THAT(to_floats(file.arrays()[0], "file"), ElementsAre(1, -2));
}

TEST(TorchFile, EndsInCircles) {
  // x = {}; x["a"] = x
  const TorchFile file = parse(older_torch_file(std::string("}q\0", 3) + text("a") + std::string("h\0s", 3), {}));
  EXPECT_TRUE(file.arrays().empty());
}

TEST(TorchFile, RefusesWhatLeavesItsStorage) {
  const auto file = [](const std::string& object, std::uint64_t elements, const std::string& bytes) {
    return older_torch_file(dictionary({{"w", object}}), {{"s", elements, bytes}});
  };
  const std::string good = tensor("s", 1, 2, "FloatStorage", "N");
  EXPECT_NO_THROW(parse(file(good, 2, kTwoFloats)));
  EXPECT_THAT([&] { parse(file(good, 2, kTwoFloats.substr(1))); }, refuses("longer than the 7 bytes"));
  EXPECT_THAT([&] { parse(file(good, std::uint64_t{1} << 63, kTwoFloats)); }, refuses("longer than the 8 bytes"));
  EXPECT_THAT([&] { parse(file(good, 2, kTwoFloats + "x")); }, refuses("1 bytes follow"));
  EXPECT_THAT([&] { parse(file(tensor("s", 2, 2, "FloatStorage", "N"), 2, kTwoFloats)); },
              refuses("does not fit the 2"));
  EXPECT_THAT([&] { parse(file(tensor("s", 0xffffffff, 1, "FloatStorage", "N"), 2, kTwoFloats)); },
              refuses("dimensions and strides from 0 on"));
  EXPECT_THAT([&] { parse(file(tensor("x", 1, 2, "FloatStorage", "N"), 2, kTwoFloats)); }, refuses("\"s\""));
  EXPECT_THAT([&] { parse(file(tensor("s", 1, 2, "FloatStorage", integer(1)), 2, kTwoFloats)); },
              refuses("no part of another"));
  EXPECT_THAT([&] { parse(file(tensor("s", 1, 2, "QInt8Storage", "N"), 2, kTwoFloats)); },
              refuses("torch.QInt8Storage"));
}

TEST(TorchFile, LimitsNamesAndDepth) {
  std::string deep = "N";
  for (int i = 0; i < 20; ++i) deep = dictionary({{"k", deep}});
  EXPECT_THAT([&] { parse(older_torch_file(deep, {})); }, refuses("16 deep"));
  EXPECT_THAT([] { parse(older_torch_file(dictionary({{std::string(300, 'k'), "N"}}), {})); }, refuses("256 bytes"));
  EXPECT_THAT([] { parse(older_torch_file("N", {})); }, refuses("expected a dictionary"));
}

}  // namespace
}  // namespace rune::format
