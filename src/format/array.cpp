#include "format/array.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rune/error.h>

#include "format/quote.h"

namespace rune::format {
namespace {

constexpr std::size_t kMaxDimensions = 8;

std::size_t element_size(DType dtype) {
  switch (dtype) {
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::f32:
      return 4;
    case DType::f64:
      return 8;
    default:
      return 0;
  }
}

[[noreturn]] void fail(const std::string& file, const ArrayView& array, const std::string& what) {
  throw InputError(fmt::format("'{}': array {}: {}", file, quote(array.name), what));
}

// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
float half_to_float(std::uint16_t bits) {
  constexpr int kFractionBits = 10;
  constexpr unsigned kSpecial = 31;
  constexpr int kBias = 15;
  const unsigned exponent = bits >> kFractionBits & kSpecial;
  const auto fraction = static_cast<float>(bits & ((1U << kFractionBits) - 1));
  float value = NAN;
  if (exponent == 0) {
    value = std::ldexp(fraction, 1 - kBias - kFractionBits);
  } else if (exponent < kSpecial) {
    value = std::ldexp(fraction + (1U << kFractionBits), static_cast<int>(exponent) - kBias - kFractionBits);
  } else if (fraction == 0) {
    value = INFINITY;
  }
  return bits >> 15 == 0 ? value : -value;
}

// The upper half of a float.
float bfloat_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <class Bits>
Bits load(const std::byte* from, std::endian byte_order) {
  std::array<std::byte, sizeof(Bits)> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  if (byte_order != std::endian::native) std::ranges::reverse(bytes);
  return std::bit_cast<Bits>(bytes);
}

float load_float(const std::byte* from, DType dtype, std::endian byte_order) {
  switch (dtype) {
    case DType::f16:
      return half_to_float(load<std::uint16_t>(from, byte_order));
    case DType::bf16:
      return bfloat_to_float(load<std::uint16_t>(from, byte_order));
    case DType::f64: {
      // Beyond the range of float a conversion is undefined.
      const auto value = load<double>(from, byte_order);
      return std::abs(value) <= std::numeric_limits<float>::max() ? static_cast<float>(value) : NAN;
    }
    default:
      return load<float>(from, byte_order);
  }
}

}  // namespace

bool is_float(DType dtype) { return element_size(dtype) > 0; }

ArrayView array_view(const TensorView& tensor) {
  ArrayView array{tensor.name, tensor.dtype, tensor.shape, std::vector<std::int64_t>(tensor.shape.size()), tensor.data};
  if (tensor.data.empty()) return array;  // a dimension is zero; the product of the others need not fit
  std::int64_t stride = 1;
  for (std::size_t i = array.shape.size(); i-- > 0;) {
    array.strides[i] = stride;
    stride *= array.shape[i];
  }
  return array;
}

std::size_t checked_size(const ArrayView& array, const std::string& file) {
  if (!is_float(array.dtype)) fail(file, array, "expected floating-point numbers");
  if (array.shape.size() > kMaxDimensions || array.strides.size() != array.shape.size()) {
    fail(file, array,
         fmt::format("expected at most {} dimensions and as many strides, found {} and {}", kMaxDimensions,
                     array.shape.size(), array.strides.size()));
  }
  const std::size_t room = array.data.size() / element_size(array.dtype);
  std::size_t size = 1;
  std::size_t last = 0;  // index of the last element
  bool fits = true;
  for (std::size_t i = 0; i < array.shape.size(); ++i) {
    if (array.shape[i] < 0 || array.strides[i] < 0) fail(file, array, "expected dimensions and strides from 0 on");
    if (array.shape[i] == 0) return 0;
    std::size_t step = 0;
    fits = fits && !__builtin_mul_overflow(size, static_cast<std::size_t>(array.shape[i]), &size) &&
           !__builtin_mul_overflow(static_cast<std::size_t>(array.shape[i] - 1),
                                   static_cast<std::size_t>(array.strides[i]), &step) &&
           !__builtin_add_overflow(last, step, &last);
  }
  if (!fits || size > room || last >= room) {
    fail(file, array,
         fmt::format("shape [{}] with strides [{}] does not fit the {} elements of its data",
                     fmt::join(array.shape, ", "), fmt::join(array.strides, ", "), room));
  }
  return size;
}

std::vector<float> to_floats(const ArrayView& array, const std::string& file) {
  std::vector<float> values(checked_size(array, file));
  std::vector<std::int64_t> index(array.shape.size());
  const std::size_t bytes = element_size(array.dtype);
  std::size_t offset = 0;  // of the element at `index`; a stride that is never taken may wrap around
  for (float& value : values) {
    value = load_float(array.data.data() + offset * bytes, array.dtype, array.byte_order);
    if (!std::isfinite(value)) {
      fail(file, array,
           fmt::format("element {} is not a finite float; expected finite weights", &value - values.data()));
    }
    for (std::size_t i = index.size(); i-- > 0;) {  // the next element: the last dimension runs fastest
      const auto stride = static_cast<std::size_t>(array.strides[i]);
      offset += stride;
      if (++index[i] < array.shape[i]) break;
      offset -= static_cast<std::size_t>(index[i]) * stride;
      index[i] = 0;
    }
  }
  return values;
}

}  // namespace rune::format
