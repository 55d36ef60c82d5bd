#include "train/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "train/period.h"
#include "train/saved_parameters.h"

namespace rune::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPositionKey = "rune.train";
constexpr const char* kRaw = "raw.";

/// Calls visit(name, value) for every field: the one list that reading and writing share.
void visit_fields(auto& position, const auto& visit) {
  visit("step", position.step);
  visit("total_steps", position.total_steps);
  visit("steps_per_epoch", position.steps_per_epoch);
  visit("characters", position.characters);
  visit("seconds", position.seconds);
  visit("reported_step", position.reported_step);
  visit("reported_seconds", position.reported_seconds);
  visit("loss_sum", position.loss_sum);
  visit("loss_characters", position.loss_characters);
  visit("training_seconds", position.training_seconds);
  visit("learning_rate", position.learning_rate);
  visit("gradient_norm", position.gradient_norm);
  visit("samples_size", position.samples_size);
  visit("train_loss", position.train_loss);
  visit("validation_loss", position.validation_loss);
  visit("best_validation_loss", position.best_validation_loss);
  visit("loss_steps", position.trend.steps);
  visit("loss_level", position.trend.level);
  visit("recent_loss", position.trend.recent);
  visit("rollbacks", position.rollbacks);
  visit("corpus_hash", position.corpus_hash);
  visit("isa", position.isa);
  visit("precision", position.precision);
}

// Numbers are written with all their digits, so that reading gives the same bits.
std::string to_json(const Position& position) {
  Json json;
  visit_fields(position, [&](const char* name, const auto& value) {
    if constexpr (requires { value.has_value(); }) {
      json[name] = value ? Json(*value) : Json();
    } else {
      json[name] = value;
    }
  });
  return json.dump();
}

bool read(const Json& json, std::int64_t& value) {
  if (!json.is_number_integer()) return false;
  value = json.get<std::int64_t>();
  return value >= 0 && value <= kMostSteps;
}

bool read(const Json& json, double& value) {
  if (!json.is_number()) return false;
  value = json.get<double>();
  return std::isfinite(value);
}

bool read(const Json& json, std::optional<double>& value) { return json.is_null() || read(json, value.emplace()); }

bool read(const Json& json, std::string& value) {
  if (!json.is_string()) return false;
  value = json.get<std::string>();
  return true;
}

[[noreturn]] void refuse(const format::SafetensorsFile& file, const std::string& message) {
  throw InputError(fmt::format("{}: {}", file.name(), message));
}

Json parse(const format::SafetensorsFile& file) {
  std::size_t keys = 0;
  const auto count_keys = [&](int depth, Json::parse_event_t event, const Json&) {
    constexpr int kDeepest = 2;
    if (depth > kDeepest) refuse(file, fmt::format("expected {} to be a flat JSON object", kPositionKey));
    keys += event == Json::parse_event_t::key ? 1 : 0;
    return true;
  };
  Json json = Json::parse(file.meta(kPositionKey), count_keys, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != keys)
    refuse(file, fmt::format("expected {} to be a flat JSON object", kPositionKey));
  return json;
}

format::Metadata metadata(const TrainState& state) {
  format::Metadata metadata = model::metadata_of(state.model.network.options(), state.model.vocabulary);
  metadata[kPositionKey] = to_json(state.position);
  return metadata;
}

const model::Parameters& model_weights(const TrainState& state) {
  return state.average ? state.average->weights() : state.model.network.parameters();
}

std::vector<std::int64_t> shape_of(const model::State& carried, const ModelOptions& options) {
  return {options.layers, carried.batch_size(), options.hidden_size};
}

model::State carried_state(const format::SafetensorsFile& file, const ModelOptions& options, int batch_size) {
  if (const auto* const state = file.find("state.hidden");
      state != nullptr && state->shape.size() == 3 && state->shape[1] != batch_size) {
    refuse(file, fmt::format("expected the state of {} streams, found that of {}; was batch_size changed?", batch_size,
                             state->shape[1]));
  }
  model::State carried(options, batch_size);
  std::int64_t expected = 0;
  const auto values = [&](std::string_view name) {
    ++expected;
    const auto found = file.get(name, format::DType::f32, shape_of(carried, options)).as<float>();
    if (!std::ranges::all_of(found, [](float value) { return std::isfinite(value); })) {
      refuse(file, fmt::format("expected finite values in {}", name));
    }
    return found;
  };
  const auto hidden = values("state.hidden");
  const auto cells = options.cell == Cell::lstm ? values("state.cell") : std::span<const float>();
  const auto found =
      std::ranges::count_if(file.tensors(), [](const auto& view) { return view.name.starts_with("state."); });
  if (found != expected) refuse(file, fmt::format("expected {} tensors state.*, found {}", expected, found));
  carried.set(hidden, cells);
  return carried;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const TrainState& state, const std::string& config,
                     const std::filesystem::path& older) {
  auto tensors = model::tensors_of(model_weights(state));
  const auto append = [&](std::vector<format::TensorView>&& more) {
    std::ranges::move(more, std::back_inserter(tensors));
  };
  if (state.average) append(tensors_of(kRaw, state.model.network.parameters()));
  append(state.optimizer.tensors());
  const auto shape = shape_of(state.carried, state.model.network.options());
  const std::vector<float> hidden = state.carried.hidden_values();
  const std::vector<float> cells = state.carried.cell_values();
  tensors.push_back(format::tensor_view("state.hidden", shape, hidden));
  if (!cells.empty()) tensors.push_back(format::tensor_view("state.cell", shape, cells));
  format::Metadata described = metadata(state);
  if (!config.empty()) described[kConfigKey] = config;
  format::write_safetensors(path, tensors, described, older);
}

void save_weights(const std::filesystem::path& path, const TrainState& state) {
  format::write_safetensors(path, model::tensors_of(model_weights(state)), metadata(state));
}

Position position_of(const format::SafetensorsFile& file) {
  const Json json = parse(file);
  Position position;
  std::size_t fields = 0;
  visit_fields(position, [&](const char* name, auto& value) {
    ++fields;
    if (!json.contains(name)) refuse(file, fmt::format("expected {} in {}", name, kPositionKey));
    if (!read(json[name], value))
      refuse(file, fmt::format("expected another {} in {}, found {}", name, kPositionKey, json[name].dump()));
  });
  if (json.size() != fields)
    refuse(file, fmt::format("expected {} fields in {}, found {}", fields, kPositionKey, json.size()));
  if (position.total_steps != 0 && position.total_steps < position.step) {
    refuse(file, fmt::format("expected a step up to {}, found {}", position.total_steps, position.step));
  }
  if (position.reported_step > position.step) {
    refuse(file,
           fmt::format("expected the last report at a step up to {}, found {}", position.step, position.reported_step));
  }
  return position;
}

TrainState train_state_from(const format::SafetensorsFile& file, const TrainOptions& options) {
  const Position position = position_of(file);
  model::Model model = model::model_from(file);
  std::optional<WeightAverage> average;
  expect_tensors(file, kRaw, options.ema_decay > 0 ? model.network.parameters().tensors().size() : 0,
                 "was ema_decay changed?");
  if (options.ema_decay > 0) {
    average.emplace(options.ema_decay, model);
    model::Parameters raw = model.network.parameters();
    read_tensors(file, kRaw, raw);
    model.network = model::Network(model.network.options(), model.vocabulary.size(), std::move(raw));
  }
  Optimizer optimizer(options.optimizer, model.network.parameters());
  optimizer.restore(file, position.step);
  model::State carried = carried_state(file, model.network.options(), options.batch_size);
  return {std::move(model), std::move(optimizer), std::move(carried), position, std::move(average)};
}

TrainState load_checkpoint(const std::filesystem::path& path, const TrainOptions& options) {
  return train_state_from(format::SafetensorsFile::read(path), options);
}

std::optional<FoundCheckpoint> newest_checkpoint(const RunDirectory& run) {
  std::vector<std::filesystem::path> candidates = run.older_checkpoints();
  candidates.insert(candidates.begin(), run.last());
  std::string notice;
  std::exception_ptr first;
  for (const std::filesystem::path& path : candidates) {
    if (path == run.last() && !std::filesystem::exists(path)) {
      notice = fmt::format("'{}' is missing. ", path.string());
      continue;
    }
    try {
      auto file = format::SafetensorsFile::read(path);
      if (!notice.empty()) notice += fmt::format("Going on from '{}'.", path.string());
      return FoundCheckpoint{std::move(file), std::move(notice)};
    } catch (const Error& error) {
      if (!first) first = std::current_exception();
      notice += fmt::format("{}. ", error.what());
    }
  }
  if (first) std::rethrow_exception(first);
  return std::nullopt;
}

}  // namespace rune::train
