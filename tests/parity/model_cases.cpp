#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "model/network.h"
#include "parity/case_file.h"
#include "parity/cases.h"
#include "support/model_cases.h"
#include "support/reference_network.h"

namespace rune::test {
namespace {

std::vector<float> normals(std::size_t count, std::uint64_t seed) {
  const RandomStream random(seed, RandomPurpose::sample);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(0.5 * random.normal(i));
  return values;
}

template <class Values>
std::vector<double> to_doubles(const Values& values) {
  return {values.begin(), values.end()};
}

// What is left out in training: nothing; units, others at each step; units, the same at each step, and recurrent
// weights.
constexpr std::array<std::string_view, 3> kMasks{"", "dropout", "locked_dropout"};

// One block, in evaluation mode and in training mode with masks that check.py applies as well.
void dump_model_case(const std::filesystem::path& folder, const CellCase& cell, int layers, int embedding,
                     std::string_view masks) {
  constexpr int kHidden = 36;
  constexpr int kVocabulary = 33;
  constexpr int kSteps = 12;
  constexpr int kStreams = 7;
  constexpr std::uint64_t kSeed = 3;
  constexpr std::uint64_t kDropoutStep = 17;
  ModelOptions options = model_options(cell, layers, kHidden, embedding);
  const bool dropout = !masks.empty();
  options.dropout = dropout ? 0.3F : 0;
  options.locked_dropout = masks == "locked_dropout";
  const bool weight_drop = options.locked_dropout && options.cell != Cell::mingru;
  options.weight_drop = weight_drop ? 0.2F : 0;

  const model::Network network(options, kVocabulary, model::Parameters::initialized(options, kVocabulary, kSeed));
  RandomBlock tokens(kVocabulary, kSteps, kStreams, kSeed);
  for (const int index : {1, 20, 83}) tokens.mask_target(index);
  const text::TokenBlock block = tokens.block();
  const Shape targets{kSteps, kStreams};
  const Shape states{layers, kStreams, kHidden};
  const auto state_size = static_cast<std::size_t>(layers * kStreams * kHidden);
  const auto hidden = normals(state_size, 1);
  const auto cells = normals(options.cell == Cell::lstm ? state_size : 0, 2);

  auto description = describe(options, kVocabulary);
  description["kind"] = "model";
  description["dropout"] = dropout;
  description["weight_drop"] = weight_drop;
  CaseFile file(description);
  file.add("", network.parameters());
  file.add("inputs", targets, block.inputs);
  file.add("targets", targets, block.targets);
  const auto add_state = [&](const std::string& prefix, auto hidden_values, auto cell_values) {
    file.add(prefix + "hidden", states, std::move(hidden_values));
    if (options.cell == Cell::lstm) file.add(prefix + "cell", states, std::move(cell_values));
  };
  add_state("initial.", hidden, cells);
  std::vector<std::vector<double>> multipliers;
  Tensors weight_multipliers;
  if (weight_drop) {
    for (int layer = 0; layer < layers; ++layer) {
      const std::string name = fmt::format("{}.weight_hh_l{}", model::cell_name(options.cell), layer);
      auto mask = model::weight_drop_multipliers(options, layer, kSeed, kDropoutStep);
      weight_multipliers[name] = to_doubles(mask);
      file.add(fmt::format("weight_drop.{}", layer), network.parameters().tensor(name).shape, std::move(mask));
    }
  }
  if (dropout) {
    for (int layer = 0; layer < layers; ++layer) {
      auto mask = model::dropout_multipliers(options, layer, kSteps, kStreams, kSeed, kDropoutStep);
      multipliers.push_back(to_doubles(mask));
      file.add(fmt::format("dropout.{}", layer), {kSteps, kStreams, kHidden}, std::move(mask));
    }
  }

  ThreadTeam team(2);
  model::State state(options, kStreams);
  const auto add_engine = [&](const std::string& prefix, const model::Workspace& workspace) {
    const auto losses = workspace.losses().first(block.targets.size());
    file.add(prefix + "losses", targets, std::vector<float>(losses.begin(), losses.end()));
    add_state(prefix, state.hidden_values(), state.cell_values());
  };
  state.set(hidden, cells);
  std::vector<float> logits;
  Matrix step_logits(kStreams, kVocabulary);
  for (std::size_t t = 0; t < kSteps; ++t) {
    network.step(block.inputs.subspan(t * kStreams, kStreams), state, step_logits);
    logits.insert(logits.end(), step_logits.values().begin(), step_logits.values().end());
  }
  file.add("engine.evaluation.logits", {kSteps, kStreams, kVocabulary}, std::move(logits));
  state.set(hidden, cells);
  model::Workspace evaluation(network, kSteps, kStreams, model::Workspace::Mode::evaluation);
  network.evaluate(block, state, evaluation, team);
  add_engine("engine.evaluation.", evaluation);
  state.set(hidden, cells);
  model::Workspace training(network, kSteps, kStreams, model::Workspace::Mode::training);
  model::Parameters gradients(options, kVocabulary);
  network.gradients(block, state, kSeed, kDropoutStep, training, gradients, team);
  add_engine("engine.training.", training);
  file.add("engine.training.gradient.", gradients);

  const ReferenceNetwork twin(options, kVocabulary, to_double(network.parameters()));
  const auto add_twin = [&](const std::string& prefix, const ReferenceResult& result) {
    file.add(prefix + "losses", targets, result.losses);
    add_state(prefix, result.state.hidden, result.state.cell);
  };
  const ReferenceState initial{to_doubles(hidden), to_doubles(cells)};
  const ReferenceResult evaluated = twin.forward(block, initial);
  ReferenceNetwork training_twin = twin;
  training_twin.drop_weights(weight_multipliers);
  const ReferenceResult trained = training_twin.forward(block, initial, multipliers);
  file.add("twin.evaluation.logits", {kSteps, kStreams, kVocabulary}, evaluated.logits);
  add_twin("twin.evaluation.", evaluated);
  add_twin("twin.training.", trained);
  for (const auto& [name, values] : training_twin.backward(block, trained, multipliers)) {
    file.add("twin.training.gradient." + name, network.parameters().tensor(name).shape, values);
  }
  file.write(folder, fmt::format("model_{}{}{}", case_name(cell, layers, embedding), dropout ? "_" : "", masks));
}

}  // namespace

nlohmann::json describe(const ModelOptions& options, int vocabulary_size) {
  return {{"cell", model::cell_name(options.cell)},
          {"nonlinearity", options.nonlinearity == Nonlinearity::tanh ? "tanh" : "relu"},
          {"layers", options.layers},
          {"hidden_size", options.hidden_size},
          {"embedding", options.embedding},
          {"vocabulary_size", vocabulary_size}};
}

void dump_model_cases(const std::filesystem::path& folder) {
  for (const CellCase& cell : kCellCases) {
    for (const int layers : {1, 2, 3}) {
      for (const int embedding : {0, 10}) {
        for (const std::string_view masks : kMasks) {
          if (masks == kMasks.back() && layers != 2) continue;  // no layer of another number has other masks
          dump_model_case(folder, cell, layers, embedding, masks);
        }
      }
    }
  }
}

}  // namespace rune::test
