#include "support/reference_network.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>
#include <utility>

namespace rune::test {
namespace {

using Row = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// W x + b, W (N, K)
Row affine(const Row& weights, const Row& bias, const Row& x) {
  Row result = bias;
  for (std::size_t n = 0; n < bias.size(); ++n) {
    for (std::size_t k = 0; k < x.size(); ++k) result[n] += weights[n * x.size() + k] * x[k];
  }
  return result;
}

// The backward pass of affine: adds to the gradients of W and b, returns the gradient of x.
Row affine_backward(const Row& weights, const Row& x, const Row& d_result, Row& d_weights, Row& d_bias) {
  Row d_x(x.size(), 0.0);
  for (std::size_t n = 0; n < d_result.size(); ++n) {
    d_bias[n] += d_result[n];
    for (std::size_t k = 0; k < x.size(); ++k) {
      d_weights[n * x.size() + k] += d_result[n] * x[k];
      d_x[k] += d_result[n] * weights[n * x.size() + k];
    }
  }
  return d_x;
}

void add(Row& to, const Row& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

Row multiplied(Row values, const std::vector<Row>& dropout, std::size_t layer, std::size_t row) {
  if (dropout.empty()) return values;
  for (std::size_t j = 0; j < values.size(); ++j) values[j] *= dropout[layer][row * values.size() + j];
  return values;
}

// Gradients that leave a cell at one step.
struct CellGradients {
  Row input_part;     // (G*H)
  Row hidden_part;    // (G*H)
  Row hidden_before;  // (H), beside what flows through W_hh
  Row cell_before;    // (H)
};

CellGradients rnn_backward(Nonlinearity nonlinearity, const ReferenceStep& step, const Row& d_hidden) {
  Row d_sum = d_hidden;
  for (std::size_t j = 0; j < d_sum.size(); ++j) {
    const double h = step.hidden[j];
    d_sum[j] *= nonlinearity == Nonlinearity::tanh ? 1 - h * h : (h > 0 ? 1.0 : 0.0);
  }
  return {d_sum, d_sum, Row(d_sum.size(), 0.0), {}};
}

CellGradients gru_backward(const ReferenceStep& step, const Row& hidden_before, const Row& d_hidden) {
  const std::size_t units = d_hidden.size();
  CellGradients d{Row(3 * units), Row(3 * units), Row(units), {}};
  for (std::size_t j = 0; j < units; ++j) {
    const double r = sigmoid(step.input_part[j] + step.hidden_part[j]);
    const double z = sigmoid(step.input_part[units + j] + step.hidden_part[units + j]);
    const double n = std::tanh(step.input_part[2 * units + j] + r * step.hidden_part[2 * units + j]);
    const double d_n_sum = d_hidden[j] * (1 - z) * (1 - n * n);
    const double d_z_sum = d_hidden[j] * (hidden_before[j] - n) * z * (1 - z);
    const double d_r_sum = d_n_sum * step.hidden_part[2 * units + j] * r * (1 - r);
    d.input_part[j] = d.hidden_part[j] = d_r_sum;
    d.input_part[units + j] = d.hidden_part[units + j] = d_z_sum;
    d.input_part[2 * units + j] = d_n_sum;
    d.hidden_part[2 * units + j] = d_n_sum * r;
    d.hidden_before[j] = d_hidden[j] * z;
  }
  return d;
}

CellGradients lstm_backward(const ReferenceStep& step, const Row& cell_before, const Row& d_hidden,
                            const Row& d_cell_after) {
  const std::size_t units = d_hidden.size();
  CellGradients d{Row(4 * units), {}, Row(units, 0.0), Row(units)};
  for (std::size_t j = 0; j < units; ++j) {
    const auto sum = [&](std::size_t gate) {
      return step.input_part[gate * units + j] + step.hidden_part[gate * units + j];
    };
    const double i = sigmoid(sum(0));
    const double f = sigmoid(sum(1));
    const double g = std::tanh(sum(2));
    const double o = sigmoid(sum(3));
    const double tanh_c = std::tanh(step.cell[j]);
    const double d_cell = d_cell_after[j] + d_hidden[j] * o * (1 - tanh_c * tanh_c);
    d.input_part[j] = d_cell * g * i * (1 - i);
    d.input_part[units + j] = d_cell * cell_before[j] * f * (1 - f);
    d.input_part[2 * units + j] = d_cell * i * (1 - g * g);
    d.input_part[3 * units + j] = d_hidden[j] * tanh_c * o * (1 - o);
    d.cell_before[j] = d_cell * f;
  }
  d.hidden_part = d.input_part;
  return d;
}

double minimal_candidate(double sum) { return sum < 0 ? sigmoid(sum) : sum + 0.5; }

CellGradients mingru_backward(const ReferenceStep& step, const Row& hidden_before, const Row& d_hidden) {
  const std::size_t units = d_hidden.size();
  CellGradients d{Row(2 * units), {}, Row(units), {}};
  for (std::size_t j = 0; j < units; ++j) {
    const double z = sigmoid(step.input_part[j]);
    const double sum = step.input_part[units + j];
    const double slope = sum < 0 ? sigmoid(sum) * (1 - sigmoid(sum)) : 1;
    d.input_part[j] = d_hidden[j] * (minimal_candidate(sum) - hidden_before[j]) * z * (1 - z);
    d.input_part[units + j] = d_hidden[j] * z * slope;
    d.hidden_before[j] = d_hidden[j] * (1 - z);
  }
  return d;
}

CellGradients cell_backward(const ModelOptions& options, const ReferenceStep& step, const Row& hidden_before,
                            const Row& cell_before, const Row& d_hidden, const Row& d_cell) {
  if (options.cell == Cell::rnn) return rnn_backward(options.nonlinearity, step, d_hidden);
  if (options.cell == Cell::gru) return gru_backward(step, hidden_before, d_hidden);
  if (options.cell == Cell::mingru) return mingru_backward(step, hidden_before, d_hidden);
  return lstm_backward(step, cell_before, d_hidden, d_cell);
}

bool is_loop(Cell cell) { return cell == Cell::loop || cell == Cell::loop_concat; }

// The backward pass of a loop cell: adds to the gradients of its weights and biases, returns those of x and h_before.
std::pair<Row, Row> loop_backward(Cell cell, const ReferenceStep& step, const Row& hidden_before, const Row& d_hidden,
                                  const auto& tensor, const auto& gradient) {
  Row d_hidden_part = d_hidden;
  for (std::size_t j = 0; j < d_hidden.size(); ++j) d_hidden_part[j] *= 1 - step.hidden[j] * step.hidden[j];
  const Row d_inner =
      affine_backward(tensor("weight_hh"), step.inner, d_hidden_part, gradient("weight_hh"), gradient("bias_hh"));
  Row d_input_part = d_inner;
  for (std::size_t j = 0; j < d_inner.size(); ++j) d_input_part[j] *= step.input_part[j] > 0 ? 1 : 0;
  const Row d_x =
      affine_backward(tensor("weight_ih"), step.input, d_input_part, gradient("weight_ih"), gradient("bias_ih"));
  if (cell == Cell::loop) return {d_x, d_inner};
  Row no_bias(d_input_part.size());
  return {d_x, affine_backward(tensor("weight_uh"), hidden_before, d_input_part, gradient("weight_uh"), no_bias)};
}

std::string tensor_name(Cell cell, const std::string& kind, int layer) {
  return std::string(model::cell_name(cell)) + '.' + kind + "_l" + std::to_string(layer);
}

Row softmax(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  Row result(logits.begin(), logits.end());
  double sum = 0;
  for (double& value : result) sum += value = std::exp(value - largest);
  for (double& value : result) value /= sum;
  return result;
}

// Row (layer, b) of a (layers, B, H) array; empty if the array is.
Row state_row(const Row& values, int layer, int batch_size, int b, int units) {
  if (values.empty()) return {};
  const auto begin = values.begin() + (layer * batch_size + b) * units;
  return {begin, begin + units};
}

void set_state_row(Row& values, int layer, int batch_size, int b, const Row& row) {
  std::ranges::copy(row, values.begin() + (layer * batch_size + b) * static_cast<std::ptrdiff_t>(row.size()));
}

int counted(const text::TokenBlock& block) {
  return static_cast<int>(std::ranges::count_if(block.targets, [](int target) { return target >= 0; }));
}

}  // namespace

Tensors to_double(const model::Parameters& parameters) {
  Tensors result;
  for (const model::Tensor& tensor : parameters.tensors()) {
    const auto values = parameters.values(tensor);
    result[tensor.name] = Row(values.begin(), values.end());
  }
  return result;
}

ReferenceNetwork::ReferenceNetwork(const ModelOptions& options, int vocabulary_size, Tensors parameters)
    : options_(options), vocabulary_size_(vocabulary_size), parameters_(std::move(parameters)) {}

void ReferenceNetwork::multiply(Tensors& tensors) const {
  for (const auto& [name, multipliers] : multipliers_)
    for (std::size_t i = 0; i < multipliers.size(); ++i) tensors.at(name)[i] *= multipliers[i];
}

ReferenceNetwork ReferenceNetwork::with_dropped_weights() const {
  ReferenceNetwork dropped(options_, vocabulary_size_, parameters_);
  multiply(dropped.parameters_);
  return dropped;
}

ReferenceState ReferenceNetwork::zero_state(int batch_size) const {
  const Row zeros(static_cast<std::size_t>(options_.layers * batch_size * options_.hidden_size), 0.0);
  return {zeros, options_.cell == Cell::lstm ? zeros : Row{}};
}

const Row& ReferenceNetwork::layer_tensor(const std::string& kind, int layer) const {
  return parameters_.at(tensor_name(options_.cell, kind, layer));
}

Row ReferenceNetwork::input_of(int token) const {
  if (options_.embedding == 0) {
    Row one_hot(static_cast<std::size_t>(vocabulary_size_), 0.0);
    one_hot[static_cast<std::size_t>(token)] = 1;
    return one_hot;
  }
  const Row& embedding = parameters_.at("embedding.weight");
  const auto begin = embedding.begin() + token * options_.embedding;
  return {begin, begin + options_.embedding};
}

ReferenceStep ReferenceNetwork::step(int layer, Row input, const Row& hidden_before, const Row& cell_before) const {
  const auto units = static_cast<std::size_t>(options_.hidden_size);
  ReferenceStep s;
  s.input_part = affine(layer_tensor("weight_ih", layer), layer_tensor("bias_ih", layer), input);
  if (options_.cell == Cell::loop_concat)
    s.input_part = affine(layer_tensor("weight_uh", layer), s.input_part, hidden_before);
  if (is_loop(options_.cell)) {
    s.inner = options_.cell == Cell::loop ? hidden_before : Row(units, 0.0);
    for (std::size_t j = 0; j < units; ++j) s.inner[j] += std::max(s.input_part[j], 0.0);
  }
  if (options_.cell != Cell::mingru)
    s.hidden_part = affine(layer_tensor("weight_hh", layer), layer_tensor("bias_hh", layer),
                           is_loop(options_.cell) ? s.inner : hidden_before);
  s.input = std::move(input);
  s.hidden.resize(units);
  s.cell.resize(cell_before.size());
  for (std::size_t j = 0; j < units; ++j) {
    const auto sum = [&](std::size_t gate) { return s.input_part[gate * units + j] + s.hidden_part[gate * units + j]; };
    switch (options_.cell) {
      case Cell::rnn:
        s.hidden[j] = options_.nonlinearity == Nonlinearity::tanh ? std::tanh(sum(0)) : std::max(sum(0), 0.0);
        break;
      case Cell::gru: {
        const double r = sigmoid(sum(0));
        const double z = sigmoid(sum(1));
        const double n = std::tanh(s.input_part[2 * units + j] + r * s.hidden_part[2 * units + j]);
        s.hidden[j] = (1 - z) * n + z * hidden_before[j];
        break;
      }
      case Cell::lstm:
        s.cell[j] = sigmoid(sum(1)) * cell_before[j] + sigmoid(sum(0)) * std::tanh(sum(2));
        s.hidden[j] = sigmoid(sum(3)) * std::tanh(s.cell[j]);
        break;
      case Cell::loop:
      case Cell::loop_concat:
        s.hidden[j] = std::tanh(s.hidden_part[j]);
        break;
      case Cell::mingru: {
        const double z = sigmoid(s.input_part[j]);
        s.hidden[j] = (1 - z) * hidden_before[j] + z * minimal_candidate(s.input_part[units + j]);
        break;
      }
    }
  }
  return s;
}

ReferenceResult ReferenceNetwork::forward(const text::TokenBlock& block, const ReferenceState& state,
                                          const std::vector<Row>& dropout) const {
  if (!multipliers_.empty()) return with_dropped_weights().forward(block, state, dropout);
  const int rows = block.sequence_length * block.batch_size;
  ReferenceResult result;
  result.initial = result.state = state;
  result.steps.resize(static_cast<std::size_t>(options_.layers));
  double sum = 0;
  for (int row = 0; row < rows; ++row) {  // row = t * B + b
    const int b = row % block.batch_size;
    const auto r = static_cast<std::size_t>(row);
    Row x = input_of(block.inputs[r]);
    for (int layer = 0; layer < options_.layers; ++layer) {
      const auto l = static_cast<std::size_t>(layer);
      const auto before = [&](const Row& values) {
        return state_row(values, layer, block.batch_size, b, options_.hidden_size);
      };
      const ReferenceStep& s = result.steps[l].emplace_back(
          step(layer, std::move(x), before(result.state.hidden), before(result.state.cell)));
      set_state_row(result.state.hidden, layer, block.batch_size, b, s.hidden);
      set_state_row(result.state.cell, layer, block.batch_size, b, s.cell);
      x = multiplied(s.hidden, dropout, l, r);
    }
    const Row logits = affine(parameters_.at("fc.weight"), parameters_.at("fc.bias"), x);
    result.features.push_back(std::move(x));
    result.logits.insert(result.logits.end(), logits.begin(), logits.end());
    const int target = block.targets[r];
    result.losses.push_back(target < 0 ? 0 : -std::log(softmax(logits)[static_cast<std::size_t>(target)]));
    sum += result.losses.back();
  }
  result.loss = counted(block) == 0 ? 0 : sum / counted(block);
  return result;
}

Tensors ReferenceNetwork::backward(const text::TokenBlock& block, const ReferenceResult& result,
                                   const std::vector<Row>& dropout) const {
  if (!multipliers_.empty()) {
    Tensors gradients = with_dropped_weights().backward(block, result, dropout);
    multiply(gradients);
    return gradients;
  }
  const int batch_size = block.batch_size;
  const int rows = block.sequence_length * batch_size;
  const auto vocabulary = static_cast<std::size_t>(vocabulary_size_);
  const auto units = static_cast<std::size_t>(options_.hidden_size);
  Tensors gradients;
  for (const auto& [name, values] : parameters_) gradients[name] = Row(values.size(), 0.0);

  // Gradients of what each layer hands upwards, (T*B) rows: first those of the projection's input.
  std::vector<Row> d_output;
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    Row d_logits(vocabulary, 0.0);
    if (const int target = block.targets[r]; target >= 0) {
      d_logits = softmax(std::span(result.logits).subspan(r * vocabulary, vocabulary));
      d_logits[static_cast<std::size_t>(target)] -= 1;
      for (double& value : d_logits) value /= counted(block);
    }
    d_output.push_back(affine_backward(parameters_.at("fc.weight"), result.features[r], d_logits,
                                       gradients["fc.weight"], gradients["fc.bias"]));
  }

  for (int layer = options_.layers - 1; layer >= 0; --layer) {
    const auto l = static_cast<std::size_t>(layer);
    const auto gradient = [&](const std::string& kind) -> Row& {
      return gradients.at(tensor_name(options_.cell, kind, layer));
    };
    std::vector<Row> d_input(static_cast<std::size_t>(rows));
    std::vector<Row> d_hidden(static_cast<std::size_t>(batch_size), Row(units, 0.0));  // from the step after
    std::vector<Row> d_cell = d_hidden;
    for (int row = rows - 1; row >= 0; --row) {
      const auto r = static_cast<std::size_t>(row);
      const int stream = row % batch_size;
      const auto b = static_cast<std::size_t>(stream);
      const auto initial = [&](const Row& values) {
        return state_row(values, layer, batch_size, stream, options_.hidden_size);
      };
      const ReferenceStep* const previous =
          row < batch_size ? nullptr : &result.steps[l][r - static_cast<std::size_t>(batch_size)];
      const Row hidden_before = previous == nullptr ? initial(result.initial.hidden) : previous->hidden;
      const Row cell_before = previous == nullptr ? initial(result.initial.cell) : previous->cell;
      const ReferenceStep& s = result.steps[l][r];

      add(d_hidden[b], multiplied(d_output[r], dropout, l, r));
      if (is_loop(options_.cell)) {
        const auto tensor = [&](const std::string& kind) -> const Row& { return layer_tensor(kind, layer); };
        std::tie(d_input[r], d_hidden[b]) =
            loop_backward(options_.cell, s, hidden_before, d_hidden[b], tensor, gradient);
        continue;
      }
      const CellGradients d = cell_backward(options_, s, hidden_before, cell_before, d_hidden[b], d_cell[b]);
      d_input[r] = affine_backward(layer_tensor("weight_ih", layer), s.input, d.input_part, gradient("weight_ih"),
                                   gradient("bias_ih"));
      d_hidden[b] = d.hidden_before;
      if (options_.cell != Cell::mingru)
        add(d_hidden[b], affine_backward(layer_tensor("weight_hh", layer), hidden_before, d.hidden_part,
                                         gradient("weight_hh"), gradient("bias_hh")));
      d_cell[b] = d.cell_before;
    }
    d_output = std::move(d_input);
  }

  if (options_.embedding != 0) {
    Row& d_embedding = gradients.at("embedding.weight");
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
      const auto begin = static_cast<std::size_t>(block.inputs[r] * options_.embedding);
      for (std::size_t e = 0; e < d_output[r].size(); ++e) d_embedding[begin + e] += d_output[r][e];
    }
  }
  return gradients;
}

}  // namespace rune::test
