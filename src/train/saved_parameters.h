#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "format/safetensors.h"
#include "model/parameters.h"

/// Numbers laid out like a model's parameters as tensors `<prefix><PyTorch's name>` of a checkpoint.
namespace rune::train {

/// Borrowed views of them.
std::vector<format::TensorView> tensors_of(const std::string& prefix, const model::Parameters& values);
/// Takes them out of a file. Throws InputError if one is missing, of another shape, not finite or below `least`.
void read_tensors(const format::SafetensorsFile& file, const std::string& prefix, model::Parameters& values,
                  float least = std::numeric_limits<float>::lowest());
/// Throws InputError unless so many tensors of a file have names that begin so; `hint` says what may be wrong.
void expect_tensors(const format::SafetensorsFile& file, std::string_view prefix, std::size_t expected,
                    std::string_view hint);

}  // namespace rune::train
