#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "command.h"
#include "command_line.h"
#include "format/safetensors.h"
#include "model/model.h"
#include "model_summary.h"
#include "output.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

using Json = nlohmann::ordered_json;

// A model file, and how far its training had come; a model that was saved without its training knows nothing of that.
struct Inspected {
  std::string path;
  model::Model model;
  std::optional<train::Position> position;
};

Inspected read(const std::string& path) {
  const auto file = format::SafetensorsFile::read(train::resolve_model(path));
  Inspected inspected{file.name(), model::model_from(file), std::nullopt};
  if (file.metadata().contains("rune.train")) inspected.position = train::position_of(file);
  return inspected;
}

// All entries of an alphabet in a row, symbols by name.
std::string entries(const text::Vocabulary& vocabulary) {
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(vocabulary.size()));
  std::iota(tokens.begin(), tokens.end(), 0);
  return vocabulary.decode(tokens);
}

std::string as_json(const Inspected& inspected) {
  const model::Network& network = inspected.model.network;
  Json json;
  json["file"] = inspected.path;
  json["model"] = Json::parse(model::to_json(network.options()));
  json["alphabet"] = entries(inspected.model.vocabulary);
  json["alphabet_size"] = inspected.model.vocabulary.size();
  json["parameter_count"] = network.parameters().count();
  for (const model::Tensor& tensor : network.parameters().tensors()) {
    json["parameters"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
  }
  if (const auto& position = inspected.position) {
    const auto loss = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
    json["step"] = position->step;
    json["total_steps"] = position->total_steps;
    json["steps_per_epoch"] = position->steps_per_epoch;
    json["seconds"] = position->seconds;
    json["train_loss"] = loss(position->train_loss);
    json["validation_loss"] = loss(position->validation_loss);
    json["best_validation_loss"] = loss(position->best_validation_loss);
  }
  return json.dump() + '\n';
}

std::string labelled(const std::string& label, const std::string& value) {
  return fmt::format("{:<16}{}\n", label, value);
}

std::string training_text(const train::Position& position) {
  std::string text = labelled("step", position.total_steps == 0
                                          ? with_commas(position.step)
                                          : with_commas(position.step) + '/' + with_commas(position.total_steps));
  text += labelled("epoch", fmt::format("{:.2f}", static_cast<double>(position.step) /
                                                      static_cast<double>(position.steps_per_epoch)));
  text += labelled("time", as_time(position.seconds));
  const auto add_loss = [&](const char* name, const std::optional<double>& loss) {
    if (loss) text += labelled(name, fmt::format("{:.4f} nats per character", *loss));
  };
  add_loss("train loss", position.train_loss);
  add_loss("validation loss", position.validation_loss);
  add_loss("best so far", position.best_validation_loss);
  return text;
}

std::string as_text(const Inspected& inspected) {
  const model::Network& network = inspected.model.network;
  const text::Vocabulary& vocabulary = inspected.model.vocabulary;
  std::string text = labelled("file", inspected.path);
  const Json options = Json::parse(model::to_json(network.options()));
  for (const auto& [key, value] : options.items()) {
    if (!value.is_null()) text += labelled(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  text +=
      labelled("alphabet", fmt::format("{} characters: {}", vocabulary.size(), entries_text(vocabulary.characters())));
  if (inspected.position) text += training_text(*inspected.position);
  text += '\n' + layer_table(network) + "\n  parameters\n";
  for (const model::Tensor& tensor : network.parameters().tensors()) {
    text += fmt::format("  {:<28}{}\n", tensor.name, fmt::join(tensor.shape, " x "));
  }
  return text;
}

}  // namespace

int inspect(int argc, const char* const* argv) {
  std::string path;
  bool json = false;
  CommandLine line("inspect", "MODEL [--json]",
                   "Shows what a model is made of, its alphabet, and how far its training had come.");
  line.operand("MODEL", path,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
  line.group("Options");
  line.flag("--json", json, "Write one line of JSON.");
  line.example("rune inspect runs/book", "");
  line.example("rune inspect model.safetensors --json", "");
  if (!line.parse(argc, argv)) return success;

  const Inspected inspected = read(path);
  Output output(Output::Controls::pass);
  output.write(json ? as_json(inspected) : as_text(inspected));
  output.flush();
  return success;
}

}  // namespace rune::app
