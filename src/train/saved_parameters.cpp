#include "train/saved_parameters.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <rune/error.h>

namespace rune::train {

std::vector<format::TensorView> tensors_of(const std::string& prefix, const model::Parameters& values) {
  std::vector<format::TensorView> views;
  for (const model::Tensor& tensor : values.tensors()) {
    views.push_back(format::tensor_view(prefix + tensor.name, tensor.shape, values.values(tensor)));
  }
  return views;
}

void read_tensors(const format::SafetensorsFile& file, const std::string& prefix, model::Parameters& values,
                  float least) {
  for (const model::Tensor& tensor : values.tensors()) {
    const auto& view = file.get(prefix + tensor.name, format::DType::f32, tensor.shape);
    const auto found = view.as<float>();
    if (!std::ranges::all_of(found, [&](float value) { return std::isfinite(value) && value >= least; })) {
      throw InputError(fmt::format("{}: expected finite numbers{} in {}, found others", file.name(),
                                   least == 0 ? " of at least 0" : "", view.name));
    }
    std::ranges::copy(found, values.values(tensor).begin());
  }
}

void expect_tensors(const format::SafetensorsFile& file, std::string_view prefix, std::size_t expected,
                    std::string_view hint) {
  const auto found = static_cast<std::size_t>(
      std::ranges::count_if(file.tensors(), [&](const auto& view) { return view.name.starts_with(prefix); }));
  if (found == expected) return;
  throw InputError(
      fmt::format("{}: expected {} tensors {}*, found {}; {}", file.name(), expected, prefix, found, hint));
}

}  // namespace rune::train
