#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format/safetensors.h"

namespace rune::format {

/// An array of floats in another program's file: of any float type, byte order and strides. `data` is borrowed.
struct ArrayView {
  std::string name;  // keys of nested dictionaries before a slash: state_dict/lstm.weight_ih_l0
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements
  std::span<const std::byte> data;    // from the first element on
  std::endian byte_order = std::endian::native;
};

/// Whether it is a type of floating-point numbers.
bool is_float(DType dtype);

/// A tensor of a safetensors file, of a float type.
ArrayView array_view(const TensorView& tensor);

/// Number of elements. Throws InputError naming file and array unless dimensions and strides are from 0 on and few, the
/// elements lie within its data, and are no more than the data has room for: so an array takes no more memory than a
/// small multiple of its file.
std::size_t checked_size(const ArrayView& array, const std::string& file);

/// The elements in row-major order; doubles are rounded. Throws as checked_size does, and for a number that is not
/// finite as a float.
std::vector<float> to_floats(const ArrayView& array, const std::string& file);

}  // namespace rune::format
