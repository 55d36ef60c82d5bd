#include "format/array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace rune::format {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

template <class T>
ArrayView view(DType dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
               const std::vector<T>& data) {
  return {"w", dtype, std::move(shape), std::move(strides), std::as_bytes(std::span(data))};
}

TEST(Array, ReadsRowByRowWhateverTheStrides) {
  const std::vector<float> data{0, 1, 2, 3, 4, 5};
  EXPECT_THAT(to_floats(view(DType::f32, {2, 3}, {3, 1}, data), "f"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(to_floats(view(DType::f32, {3, 2}, {1, 3}, data), "f"), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(to_floats(view(DType::f32, {2}, {0}, data), "f"), ElementsAre(0, 0));
  EXPECT_THAT(to_floats(view(DType::f32, {2, 1}, {1, kHuge}, data), "f"), ElementsAre(0, 1));
  EXPECT_THAT(to_floats(view(DType::f32, {}, {}, data), "f"), ElementsAre(0));
  EXPECT_THAT(to_floats(view(DType::f32, {kHuge, kHuge, 0}, {1, 1, 1}, data), "f"), ElementsAre());
}

TEST(Array, ConvertsAllFloatTypes) {
  const float smallest_half = 0x1p-24F;
  EXPECT_THAT(
      to_floats(view<std::uint16_t>(DType::f16, {6}, {1}, {0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x3555}), "f"),
      ElementsAre(1, -2, smallest_half, 0, 65504, 0.333251953125F));
  EXPECT_THAT(to_floats(view<std::uint16_t>(DType::bf16, {2}, {1}, {0x3f80, 0xc049}), "f"), ElementsAre(1, -3.140625F));
  EXPECT_THAT(to_floats(view<double>(DType::f64, {2}, {1}, {0.1, -2}), "f"), ElementsAre(0.1F, -2));
}

TEST(Array, ReadsTheOtherByteOrder) {
  auto bytes = std::bit_cast<std::array<std::byte, 4>>(1.5F);
  std::ranges::reverse(bytes);
  ArrayView array{"w", DType::f32, {1}, {1}, bytes};
  array.byte_order = std::endian::native == std::endian::little ? std::endian::big : std::endian::little;
  EXPECT_THAT(to_floats(array, "f"), ElementsAre(1.5F));
}

TEST(Array, RefusesWhatIsNotFinite) {
  const auto refuses = ThrowsMessage<InputError>(HasSubstr("'f': array \"w\": element 1"));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT([&] { (void)to_floats(view<float>(DType::f32, {2}, {1}, {0, infinity}), "f"); }, refuses);
  EXPECT_THAT([&] { (void)to_floats(view<double>(DType::f64, {2}, {1}, {0, 1e39}), "f"); }, refuses);
  EXPECT_THAT([&] { (void)to_floats(view<std::uint16_t>(DType::f16, {2}, {1}, {0, 0x7c00}), "f"); }, refuses);
  EXPECT_THAT([&] { (void)to_floats(view<std::uint16_t>(DType::f16, {2}, {1}, {0, 0x7c01}), "f"); }, refuses);
  EXPECT_THAT([&] { (void)to_floats(view<std::uint16_t>(DType::bf16, {2}, {1}, {0, 0xff80}), "f"); }, refuses);
}

TEST(Array, RefusesWhatDoesNotFitItsData) {
  const std::vector<float> data(4);
  using Shape = std::vector<std::int64_t>;
  for (const auto& [shape, strides] : std::vector<std::pair<Shape, Shape>>{{{5}, {1}},
                                                                           {{5}, {0}},
                                                                           {{2}, {4}},
                                                                           {{2, 2}, {4, 1}},
                                                                           {{-1}, {1}},
                                                                           {{1}, {-1}},
                                                                           {{2, 2}, {1}},
                                                                           {{kHuge, kHuge}, {1, 1}},
                                                                           {{3}, {kHuge}},
                                                                           {Shape(9, 1), Shape(9, 1)}}) {
    EXPECT_THROW((void)checked_size(view(DType::f32, shape, strides, data), "f"), InputError)
        << testing::PrintToString(shape);
  }
  EXPECT_THROW((void)checked_size(view(DType::i64, {1}, {1}, data), "f"), InputError);
}

}  // namespace
}  // namespace rune::format
