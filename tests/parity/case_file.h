#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "format/safetensors.h"
#include "model/parameters.h"

namespace rune::test {

using Shape = std::vector<std::int64_t>;

/// The named arrays of one case and a description in JSON, owned until they are written.
class CaseFile {
 public:
  explicit CaseFile(nlohmann::json description) : description_(std::move(description)) {}

  void add(const std::string& name, Shape shape, std::vector<float> values) {
    tensors_.push_back(format::tensor_view(name, std::move(shape), floats_.emplace_back(std::move(values))));
  }
  void add(const std::string& name, Shape shape, std::vector<double> values) {
    tensors_.push_back(format::tensor_view(name, std::move(shape), doubles_.emplace_back(std::move(values))));
  }
  void add(const std::string& name, Shape shape, std::span<const std::int32_t> values) {
    integers_.emplace_back(values.begin(), values.end());
    tensors_.push_back(format::tensor_view(name, std::move(shape), integers_.back()));
  }
  void add(const std::string& prefix, const model::Parameters& parameters) {
    for (const model::Tensor& tensor : parameters.tensors()) {
      const auto values = parameters.values(tensor);
      add(prefix + tensor.name, tensor.shape, std::vector<float>(values.begin(), values.end()));
    }
  }
  void write(const std::filesystem::path& folder, const std::string& name) const {
    format::write_safetensors(folder / (name + ".safetensors"), tensors_, {{"case", description_.dump()}});
  }

 private:
  nlohmann::json description_;
  std::vector<format::TensorView> tensors_;
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<double>> doubles_;
  std::deque<std::vector<std::int64_t>> integers_;
};

}  // namespace rune::test
