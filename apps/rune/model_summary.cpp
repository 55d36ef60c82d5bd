#include "model_summary.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "model/cell.h"
#include "output.h"

namespace rune::app {
namespace {

std::string row(const std::string& layer, const std::string& shape, std::int64_t parameters) {
  return fmt::format("  {:<16}{:<14}{:>14}\n", layer, shape, parameters == 0 ? "" : with_commas(parameters));
}

std::string arrow(int from, int to) { return fmt::format("{} -> {}", from, to); }

}  // namespace

std::string layer_table(const model::Network& network) {
  const ModelOptions& options = network.options();
  const model::Parameters& parameters = network.parameters();
  const int alphabet = network.vocabulary_size();
  const std::string cell(model::cell_name(options.cell));
  const auto count = [&](const std::string& name) { return static_cast<std::int64_t>(parameters.tensor(name).size); };

  std::string table = fmt::format("  {:<16}{:<14}{:>14}\n", "layer", "size", "parameters");
  if (options.embedding > 0) {
    table += row("embedding", arrow(alphabet, options.embedding), count("embedding.weight"));
  } else {
    table += row("one-hot", fmt::format("{}", alphabet), 0);
  }
  for (int layer = 0; layer < options.layers; ++layer) {
    std::int64_t size = 0;
    for (const std::string_view tensor : model::layer_tensors(options.cell)) {
      size += count(fmt::format("{}.{}_l{}", cell, tensor, layer));
    }
    const int input = layer > 0 ? options.hidden_size : options.embedding > 0 ? options.embedding : alphabet;
    table += row(fmt::format("{} {}", cell, layer + 1), arrow(input, options.hidden_size), size);
    const bool last = layer + 1 == options.layers;
    const float dropout = last ? options.output_dropout.value_or(options.dropout) : options.dropout;
    if (options.weight_drop > 0) table += row(fmt::format("weight drop {:g}", options.weight_drop), "", 0);
    if (dropout > 0) table += row(fmt::format("dropout {:g}", dropout), options.locked_dropout ? "locked" : "", 0);
  }
  table += row("linear", arrow(options.hidden_size, alphabet), count("fc.weight") + count("fc.bias"));
  return table + row("total", "", parameters.count());
}

double training_memory(const model::Network& network, const TrainOptions& options, const text::Corpus& corpus) {
  const ModelOptions& model = network.options();
  const model::CellTraits& cell = model::traits_of(model.cell);
  const bool two_moments =
      options.optimizer.kind == OptimizerKind::adam || options.optimizer.kind == OptimizerKind::adamw;
  // Weights, gradients, moments, and the weights packed for the forward and the backward products.
  const double average = options.ema_decay > 0 ? 3 : 0;  // and packed as well
  const double copies = (two_moments ? 6 : 5) + average;
  // The gates, h and its gradient, the input that dropout leaves, c and u where there are any.
  const double per_unit =
      static_cast<double>(cell.slots) + 3 + (cell.has_cell_state ? 1 : 0) + (cell.inner != model::Inner::none ? 1 : 0);
  const double length = options.sequence_length * (options.sequence_doubling.value > 0 ? 2.0 : 1.0);
  const double activations =
      static_cast<double>(options.batch_size) * length * model.layers * model.hidden_size * per_unit;
  // With an embedding, what the first layer makes of every character, for writing.
  const double table = model.embedding == 0 ? 0
                                            : static_cast<double>(network.vocabulary_size()) *
                                                  static_cast<double>(cell.slots) * model.hidden_size;
  // Recurrent weights some of which are dropped, as they are and packed twice.
  const double dropped = model.weight_drop > 0 ? 3.0 * model.layers * static_cast<double>(cell.gates) *
                                                     model.hidden_size * model.hidden_size
                                               : 0;
  constexpr double kProgram = 10e6;
  return kProgram +
         sizeof(float) * (copies * static_cast<double>(network.parameters().count()) + activations + table + dropped) +
         static_cast<double>(corpus.memory());
}

}  // namespace rune::app
