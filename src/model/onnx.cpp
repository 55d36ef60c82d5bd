#include "model/onnx.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "format/protobuf.h"
#include "model/cell.h"

namespace rune::model {
namespace {

using Message = format::ProtobufMessage;
using Shape = std::vector<std::int64_t>;
using Names = std::initializer_list<std::string_view>;

// Field numbers and values of onnx.proto, by its names.
namespace model_proto {
enum { ir_version = 1, producer_name = 2, producer_version = 3, graph = 7, opset_import = 8, metadata_props = 14 };
}
namespace graph_proto {
enum { node = 1, name = 2, initializer = 5, input = 11, output = 12 };
}
namespace node_proto {
enum { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
}
namespace attribute_proto {
enum { name = 1, i = 3, s = 4, strings = 9, type = 20 };
constexpr int kInt = 2;
constexpr int kStrings = 8;
}  // namespace attribute_proto
namespace tensor_proto {
enum { dims = 1, data_type = 2, name = 8, raw_data = 9 };
constexpr int kFloat = 1;
constexpr int kInt64 = 7;
}  // namespace tensor_proto

constexpr std::int64_t kIrVersion = 7;
constexpr std::int64_t kOpset = 13;

/// What ONNX calls a cell, and where its gates stand in PyTorch's weights.
struct Operator {
  std::string_view name;
  std::vector<std::size_t> gates;
};

Operator operator_of(Cell cell) {
  switch (cell) {
    case Cell::rnn:
      return {"RNN", {0}};
    case Cell::gru:
      return {"GRU", {1, 0, 2}};  // z r h of r z n
    case Cell::lstm:
      return {"LSTM", {0, 3, 1, 2}};  // i o f c of i f g o
    default:
      throw InputError(
          fmt::format("ONNX has operators for the cells rnn, gru and lstm, but none for {}: "
                      "export this model as .safetensors",
                      cell_name(cell)));
  }
}

// PyTorch's rows in the order that ONNX has for the gates.
void append_gates(std::vector<float>& to, std::span<const float> rows, const Operator& cell) {
  const std::size_t gate = rows.size() / cell.gates.size();
  for (const std::size_t index : cell.gates) {
    const auto from = rows.subspan(index * gate, gate);
    to.insert(to.end(), from.begin(), from.end());
  }
}

template <class T>
std::string little_endian(std::span<const T> values) {
  std::string bytes(values.size_bytes(), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  if constexpr (std::endian::native != std::endian::little) {
    for (auto at = bytes.begin(); at != bytes.end(); at += sizeof(T)) std::reverse(at, at + sizeof(T));
  }
  return bytes;
}

Message dimension(std::int64_t size) { return Message().add(1, size); }
Message dimension(std::string_view name) { return Message().add(2, name); }

// The type of an input or output of the graph.
Message value_info(std::string_view name, int data_type, std::initializer_list<Message> dimensions) {
  Message shape;
  for (const Message& size : dimensions) shape.add(1, size);
  const Message tensor = Message().add(1, data_type).add(2, shape);
  return Message().add(1, name).add(2, Message().add(1, tensor));
}

/// The graph, node by node in the order of computation.
class Graph {
 public:
  explicit Graph(const Model& model)
      : options_(model.network.options()),
        parameters_(model.network.parameters()),
        alphabet_(model.network.vocabulary_size()),
        cell_(operator_of(options_.cell)) {
    graph_.add(graph_proto::name, "rune");
    add_input();
    for (int layer = 0; layer < options_.layers; ++layer) add_layer(layer);
    add_projection();
    add_interface();
  }

  [[nodiscard]] const Message& message() const { return graph_; }

 private:
  [[nodiscard]] bool has_cell_state() const { return traits_of(options_.cell).has_cell_state; }

  void initializer(std::string_view name, const Shape& shape, int data_type, std::string_view bytes) {
    Message tensor;
    for (const std::int64_t size : shape) tensor.add(tensor_proto::dims, size);
    graph_.add(graph_proto::initializer, tensor.add(tensor_proto::data_type, data_type)
                                             .add(tensor_proto::name, name)
                                             .add(tensor_proto::raw_data, bytes));
  }
  void initializer(std::string_view name, const Shape& shape, std::span<const float> values) {
    initializer(name, shape, tensor_proto::kFloat, little_endian(values));
  }
  void initializer(std::string_view name, const Shape& shape, std::span<const std::int64_t> values) {
    initializer(name, shape, tensor_proto::kInt64, little_endian(values));
  }
  // A parameter as it is.
  void initializer(std::string_view name) {
    initializer(name, parameters_.tensor(name).shape, parameters_.values(name));
  }

  static Message attribute(std::string_view name, std::int64_t value) {
    return Message()
        .add(attribute_proto::name, name)
        .add(attribute_proto::i, value)
        .add(attribute_proto::type, attribute_proto::kInt);
  }
  static Message attribute(std::string_view name, Names values) {
    Message message = Message().add(attribute_proto::name, name);
    for (const std::string_view value : values) message.add(attribute_proto::strings, value);
    return message.add(attribute_proto::type, attribute_proto::kStrings);
  }

  // Its name is that of its first output.
  void node(std::string_view type, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
            std::initializer_list<Message> attributes = {}) {
    Message node;
    for (const std::string& input : inputs) node.add(node_proto::input, input);
    for (const std::string& output : outputs) node.add(node_proto::output, output);
    node.add(node_proto::name, outputs[0]).add(node_proto::op_type, type);
    for (const Message& value : attributes) node.add(node_proto::attribute, value);
    graph_.add(graph_proto::node, node);
  }

  // tokens (T, B) -> x (T, B, V or E)
  void add_input() {
    if (options_.embedding > 0) {
      initializer("embedding.weight");
      return node("Gather", {"embedding.weight", "tokens"}, {"x"});
    }
    constexpr std::array<float, 2> kOffAndOn{0, 1};
    initializer("alphabet_size", {}, std::array{std::int64_t{alphabet_}});
    initializer("off_and_on", {2}, kOffAndOn);
    node("OneHot", {"tokens", "alphabet_size", "off_and_on"}, {"x"});
  }

  // x (T, B, K) -> x<layer> (T, B, H), and the layer's state after.
  void add_layer(int layer) {
    const auto name = [&](std::string_view kind) { return fmt::format("{}_l{}", kind, layer); };
    const auto values = [&](std::string_view kind) {
      return parameters_.values(fmt::format("{}.{}", cell_name(options_.cell), name(kind)));
    };
    const std::int64_t hidden = options_.hidden_size;
    const std::int64_t rows = static_cast<std::int64_t>(cell_.gates.size()) * hidden;
    std::vector<float> input_weights;
    std::vector<float> hidden_weights;
    std::vector<float> biases;
    append_gates(input_weights, values("weight_ih"), cell_);
    append_gates(hidden_weights, values("weight_hh"), cell_);
    append_gates(biases, values("bias_ih"), cell_);
    append_gates(biases, values("bias_hh"), cell_);
    // One direction is the first dimension of each.
    initializer(name("W"), {1, rows, static_cast<std::int64_t>(input_weights.size()) / rows}, input_weights);
    initializer(name("R"), {1, rows, hidden}, hidden_weights);
    initializer(name("B"), {1, 2 * rows}, biases);
    initializer(name("index"), {1}, std::array{std::int64_t{layer}});
    if (layer == 0) initializer("direction", {1}, std::array{std::int64_t{1}});

    node("Gather", {"hidden", name("index")}, {name("hidden")});
    constexpr const char* kAllOfTheSequence = "";
    std::vector<std::string> inputs{layer == 0 ? "x" : fmt::format("x_l{}", layer - 1),
                                    name("W"),
                                    name("R"),
                                    name("B"),
                                    kAllOfTheSequence,
                                    name("hidden")};
    std::vector<std::string> outputs{name("y"), name("next_hidden")};
    const Message size = attribute("hidden_size", hidden);
    switch (options_.cell) {
      case Cell::lstm:
        node("Gather", {"cell", name("index")}, {name("cell")});
        inputs.push_back(name("cell"));
        outputs.push_back(name("next_cell"));
        node(cell_.name, inputs, outputs, {size});
        break;
      case Cell::gru:  // PyTorch resets after the product
        node(cell_.name, inputs, outputs, {size, attribute("linear_before_reset", 1)});
        break;
      default:
        node(cell_.name, inputs, outputs,
             {size, attribute("activations", {options_.nonlinearity == Nonlinearity::relu ? "Relu" : "Tanh"})});
    }
    node("Squeeze", {name("y"), "direction"}, {name("x")});
  }

  // x of the last layer -> logits (T, B, V); the layers' states after, put together.
  void add_projection() {
    initializer("fc.weight");
    initializer("fc.bias");
    node("Transpose", {"fc.weight"}, {"fc.weight_transposed"});  // of (V, H): ONNX swaps the two by default
    node("MatMul", {fmt::format("x_l{}", options_.layers - 1), "fc.weight_transposed"}, {"products"});
    node("Add", {"products", "fc.bias"}, {"logits"});
    join("next_hidden");
    if (has_cell_state()) join("next_cell");
  }
  void join(const std::string& state) {
    std::vector<std::string> parts;
    parts.reserve(static_cast<std::size_t>(options_.layers));
    for (int layer = 0; layer < options_.layers; ++layer) parts.push_back(fmt::format("{}_l{}", state, layer));
    node("Concat", parts, {state}, {attribute("axis", 0)});
  }

  void add_interface() {
    const auto state = [&](std::string_view name) {
      return value_info(name, tensor_proto::kFloat,
                        {dimension(options_.layers), dimension("batch"), dimension(options_.hidden_size)});
    };
    graph_.add(graph_proto::input,
               value_info("tokens", tensor_proto::kInt64, {dimension("sequence"), dimension("batch")}));
    graph_.add(graph_proto::input, state("hidden"));
    if (has_cell_state()) graph_.add(graph_proto::input, state("cell"));
    graph_.add(graph_proto::output,
               value_info("logits", tensor_proto::kFloat,
                          {dimension("sequence"), dimension("batch"), dimension(std::int64_t{alphabet_})}));
    graph_.add(graph_proto::output, state("next_hidden"));
    if (has_cell_state()) graph_.add(graph_proto::output, state("next_cell"));
  }

  const ModelOptions& options_;
  const Parameters& parameters_;
  int alphabet_;
  Operator cell_;
  Message graph_;
};

}  // namespace

std::string to_onnx(const Model& model) {
  constexpr std::int64_t kMostWeights =
      std::numeric_limits<std::int32_t>::max() / std::int64_t{sizeof(float)} - (1 << 20);
  if (const std::int64_t count = model.network.parameters().count(); count > kMostWeights) {
    throw InputError(
        fmt::format("expected at most {} parameters, since an ONNX file may have 2 GB; found {}", kMostWeights, count));
  }
  Message file;
  file.add(model_proto::ir_version, kIrVersion)
      .add(model_proto::producer_name, "rune")
      .add(model_proto::producer_version, RUNE_VERSION)
      .add(model_proto::opset_import, Message().add(1, std::string_view()).add(2, kOpset))
      .add(model_proto::graph, Graph(model).message());
  for (const auto& [key, value] : metadata_of(model.network.options(), model.vocabulary)) {
    file.add(model_proto::metadata_props, Message().add(1, key).add(2, value));
  }
  return file.bytes();
}

}  // namespace rune::model
