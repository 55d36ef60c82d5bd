#include "model/parameters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/random.h"
#include "model/cell.h"
#include "model/option_names.h"

namespace rune::model {
namespace {

constexpr std::size_t kAlignment = 16;  // floats: every tensor starts on a cache line
constexpr std::array<std::string_view, 4> kLayerTensors{"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
constexpr std::array<std::string_view, 5> kLayerTensorsWithInnerProduct{"weight_ih", "weight_uh", "weight_hh",
                                                                        "bias_ih", "bias_hh"};
constexpr std::array<std::string_view, 2> kLayerTensorsWithoutRecurrentProduct{"weight_ih", "bias_ih"};

void require(bool condition, std::string_view option, const auto& value, std::string_view allowed) {
  if (!condition) throw InputError(fmt::format("{} must be {}, found {}", option, allowed, value));
}

void require_cell(std::string_view option, std::initializer_list<Cell> allowed, Cell found) {
  if (std::ranges::find(allowed, found) != allowed.end()) return;
  std::string names;
  for (const Cell cell : allowed) (names += names.empty() ? "" : " or ") += cell_name(cell);
  throw InputError(fmt::format("{} works with the cell {} only, found the cell {}: leave it out or change the cell",
                               option, names, cell_name(found)));
}

void require_recurrent_matrix(std::string_view option, Cell found) {
  if (traits_of(found).recurrent) return;
  throw InputError(
      fmt::format("{} is of recurrent matrices, which the cell {} has not: leave it out or change the cell", option,
                  cell_name(found)));
}

void require_probability(float value, std::string_view option) {
  require(value >= 0 && value < 1, option, value, "at least 0 and below 1");
}

void fill_uniform(std::span<float> values, const RandomStream& random, float limit) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = (2 * random.uniform(i) - 1) * limit;
}

void fill_normal(std::span<float> values, const RandomStream& random) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal(i));
}

void fill_identity(std::span<float> square, std::size_t size) {
  std::fill(square.begin(), square.end(), 0.0F);
  for (std::size_t i = 0; i < size; ++i) square[i * size + i] = 1;
}

// The rows of a normal random matrix, made orthonormal one after the other (modified Gram-Schmidt). The triangular
// factor's diagonal, the norms, is positive, so the result is uniformly distributed over the orthogonal matrices.
void fill_orthogonal(std::span<float> square, std::size_t size, const RandomStream& random, std::uint64_t first) {
  std::vector<double> rows(size * size);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = random.normal(first + i);
  for (std::size_t i = 0; i < size; ++i) {
    double* const unit = rows.data() + i * size;
    const double norm = std::sqrt(std::inner_product(unit, unit + size, unit, 0.0));
    for (std::size_t k = 0; k < size; ++k) unit[k] /= norm;
    for (std::size_t j = i + 1; j < size; ++j) {
      double* const row = rows.data() + j * size;
      const double projection = std::inner_product(unit, unit + size, row, 0.0);
      for (std::size_t k = 0; k < size; ++k) row[k] -= projection * unit[k];
    }
  }
  std::transform(rows.begin(), rows.end(), square.begin(), [](double value) { return static_cast<float>(value); });
}

std::size_t arena_size(const std::vector<Tensor>& tensors) {
  return round_up(tensors.back().offset + tensors.back().size, kAlignment);
}

Buffer<float> copy_of(const Buffer<float>& other) {
  Buffer<float> copy(other.size());
  std::copy_n(other.data(), other.size(), copy.data());
  return copy;
}

}  // namespace

std::vector<Tensor> tensor_layout(const ModelOptions& options, int vocabulary_size) {
  validate(options);
  require(vocabulary_size >= 1, "the vocabulary's size", vocabulary_size, "at least 1");
  std::vector<Tensor> tensors;
  const CellTraits& cell = traits_of(options.cell);
  const std::int64_t vocabulary = vocabulary_size;
  const std::int64_t hidden = options.hidden_size;
  const std::int64_t rows = static_cast<std::int64_t>(cell.gates) * hidden;
  const auto add = [&](std::string name, std::vector<std::int64_t> shape, std::int64_t fan_in) {
    const auto size = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
    tensors.push_back({std::move(name), std::move(shape), tensors.empty() ? 0 : arena_size(tensors), size, fan_in});
  };
  if (options.embedding > 0) add("embedding.weight", {vocabulary, options.embedding}, vocabulary);
  for (int layer = 0; layer < options.layers; ++layer) {
    const std::int64_t inputs = layer > 0 ? hidden : options.embedding > 0 ? options.embedding : vocabulary;
    // PyTorch's recurrent layers go by H; an inner stage, what follows it and a layer without a recurrent product are
    // an nn.Linear each, by its inputs.
    const std::int64_t linear_inputs = inputs + (cell.inner == Inner::product ? hidden : 0);
    for (const std::string_view kind : layer_tensors(options.cell)) {
      std::vector<std::int64_t> shape{rows};
      if (kind.starts_with("weight")) shape.push_back(kind == "weight_ih" ? inputs : hidden);
      const bool outer = kind.ends_with("_hh") || (cell.recurrent && cell.inner == Inner::none);
      add(fmt::format("{}.{}_l{}", cell.name, kind, layer), std::move(shape), outer ? hidden : linear_inputs);
    }
  }
  add("fc.weight", {vocabulary, hidden}, hidden);
  add("fc.bias", {vocabulary}, hidden);
  return tensors;
}

Parameters::Parameters(const ModelOptions& options, int vocabulary_size)
    : tensors_(tensor_layout(options, vocabulary_size)), values_(arena_size(tensors_)) {}

Parameters::Parameters(const Parameters& other) : tensors_(other.tensors_), values_(copy_of(other.values_)) {}

Parameters& Parameters::operator=(const Parameters& other) { return *this = Parameters(other); }

Parameters Parameters::initialized(const ModelOptions& options, int vocabulary_size, std::uint64_t seed) {
  Parameters parameters(options, vocabulary_size);
  const auto hidden = static_cast<std::size_t>(options.hidden_size);
  for (std::size_t ordinal = 0; ordinal < parameters.tensors_.size(); ++ordinal) {
    const Tensor& tensor = parameters.tensors_[ordinal];
    const std::span<float> values = parameters.values(tensor);
    const RandomStream random(seed, RandomPurpose::initialize, ordinal);
    const bool recurrent = tensor.name.find(".weight_hh_") != std::string::npos;
    if (tensor.name == "embedding.weight") {
      fill_normal(values, random);
    } else if (recurrent && options.init == Initialization::orthogonal) {
      const std::size_t square = hidden * hidden;
      for (std::size_t first = 0; first < values.size(); first += square) {
        fill_orthogonal(values.subspan(first, square), hidden, random, first);
      }
    } else if (recurrent && options.init == Initialization::identity) {
      fill_identity(values, hidden);
    } else {
      fill_uniform(values, random, static_cast<float>(1 / std::sqrt(static_cast<double>(tensor.fan_in))));
    }
  }
  if (options.forget_bias) {
    for (int layer = 0; layer < options.layers; ++layer) {  // gate order i f g o
      std::ranges::fill(parameters.values(fmt::format("lstm.bias_ih_l{}", layer)).subspan(hidden, hidden),
                        *options.forget_bias);
      std::ranges::fill(parameters.values(fmt::format("lstm.bias_hh_l{}", layer)).subspan(hidden, hidden), 0.0F);
    }
  }
  return parameters;
}

const Tensor& Parameters::tensor(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &Tensor::name);
  if (found == tensors_.end()) throw InputError(fmt::format("this model has no parameter '{}'", name));
  return *found;
}

std::int64_t Parameters::count() const {
  std::int64_t count = 0;
  for (const Tensor& tensor : tensors_) count += static_cast<std::int64_t>(tensor.size);
  return count;
}

std::string_view cell_name(Cell cell) { return name_of(cell); }

std::span<const std::string_view> layer_tensors(Cell cell) {
  if (traits_of(cell).inner == Inner::product) return kLayerTensorsWithInnerProduct;
  if (!traits_of(cell).recurrent) return kLayerTensorsWithoutRecurrentProduct;
  return kLayerTensors;
}

void validate(const ModelOptions& options) {
  require(options.layers >= 1 && options.layers <= 64, "layers", options.layers, "between 1 and 64");
  require(options.hidden_size >= 1 && options.hidden_size <= 16384, "hidden_size", options.hidden_size,
          "between 1 and 16384");
  require(options.embedding >= 0 && options.embedding <= 16384, "embedding", options.embedding,
          "between 0 (one-hot input) and 16384");
  require_probability(options.dropout, "dropout");
  if (options.output_dropout) require_probability(*options.output_dropout, "output_dropout");
  require_probability(options.weight_drop, "weight_drop");
  if (options.weight_drop > 0) require_recurrent_matrix("weight_drop", options.cell);
  if (options.nonlinearity == Nonlinearity::relu) require_cell("nonlinearity relu", {Cell::rnn}, options.cell);
  if (options.init == Initialization::identity)
    require_cell("init identity", {Cell::rnn, Cell::loop, Cell::loop_concat}, options.cell);
  if (options.init == Initialization::orthogonal) require_recurrent_matrix("init orthogonal", options.cell);
  if (options.forget_bias) {
    require_cell("forget_bias", {Cell::lstm}, options.cell);
    require(std::isfinite(*options.forget_bias), "forget_bias", *options.forget_bias, "finite");
  }
}

}  // namespace rune::model
