#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "check_up_page.h"
#include "command.h"
#include "command_line.h"
#include "format/safetensors.h"
#include "input.h"
#include "model/model.h"
#include "model_summary.h"
#include "output.h"
#include "reading_notes.h"
#include "suggestion.h"
#include "text/utf8.h"
#include "text_flags.h"
#include "tools/check_up.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"
#include "train/trainer.h"

namespace rune::app {
namespace {

using Json = nlohmann::ordered_json;

// A model file, and how far its training had come; a model that was saved without its training knows nothing of that.
struct Inspected {
  std::string path;
  model::Model model;
  std::optional<train::Position> position;
};

bool is_model(const std::string& path) {
  return path.ends_with(".safetensors") || std::filesystem::exists(std::filesystem::path(path) / "config.toml");
}

Inspected read(const std::string& path) {
  const auto file = format::SafetensorsFile::read(train::resolve_model(path));
  Inspected inspected{file.name(), model::model_from(file), std::nullopt};
  if (file.metadata().contains("rune.train")) inspected.position = train::position_of(file);
  return inspected;
}

// All entries of an alphabet in a row, symbols by name.
std::string entries(const text::Vocabulary& vocabulary) {
  return fmt::to_string(fmt::join(vocabulary.content().entries, ""));
}

std::string as_json(const Inspected& inspected) {
  const model::Network& network = inspected.model.network;
  Json json;
  json["file"] = inspected.path;
  json["model"] = Json::parse(model::to_json(network.options()));
  json["text"] = Json::parse(model::to_json(inspected.model.vocabulary.form()));
  json["alphabet"] = text::replace_invalid(entries(inspected.model.vocabulary));
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
  text += labelled("alphabet", fmt::format("{} {}: {}", vocabulary.size(), units_name(vocabulary.form().unit),
                                           in_one_line(entries(vocabulary))));
  if (inspected.position) text += training_text(*inspected.position);
  text += '\n' + layer_table(network) + "\n  parameters\n";
  for (const model::Tensor& tensor : network.parameters().tensors()) {
    text += fmt::format("  {:<28}{}\n", tensor.name, fmt::join(tensor.shape, " x "));
  }
  return text;
}

std::string quoted_for_shell(std::string_view argument) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos) return std::string(argument);
  std::string quoted = "'";
  for (const char character : argument) {
    if (character == '\'') quoted += "'\\'";
    quoted += character;
  }
  return quoted + "'";
}

/// What `rune train` is to be given too: all but what only this command knows, quoted where a shell needs that.
std::string shared_arguments(std::span<const char* const> arguments) {
  std::string text;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--json" || argument.starts_with("--minutes=")) continue;
    if (argument == "--minutes") {
      ++i;
      continue;
    }
    text += (text.empty() ? "" : " ") + quoted_for_shell(argument);
  }
  return text;
}

}  // namespace

int inspect(int argc, const char* const* argv) {
  std::vector<std::string> paths;
  TextOptions reading;
  double minutes = 10;
  bool json = false;
  auto cache = text::Cache::automatic;
  CommandLine line(
      "inspect", "MODEL|TEXT... [OPTION...]",
      "Shows what a model is made of, its alphabet, and how far its training had come; or checks a text "
      "before training: how it is written, what looks wrong in it, how well simple guessing predicts it, and "
      "which model would suit it.");
  line.operands(
      "MODEL|TEXT", paths,
      "A .safetensors file or a run directory; or files, directories and archives of text; - is standard input.");
  line.group("Options");
  line.flag("--json", json, "Write one line of JSON.");
  line.option("--minutes", "M", minutes, "Of a text: how long a training may take.");
  line.group("Text");
  add_reading_options(line, reading);
  add_unit_options(line, reading);
  line.group("Records");
  add_record_options(line, reading);
  add_cache_option(line, cache);
  line.example("rune inspect runs/book", "");
  line.example("rune inspect model.safetensors --json", "");
  line.example("rune inspect book.txt --minutes 30", "what to know before half an hour of training");
  if (!line.parse(argc, argv)) return success;
  if (!(minutes > 0)) throw UsageError(fmt::format("expected --minutes to be above 0, found {}", minutes));

  Output output(Output::Controls::pass);
  if (paths.size() == 1 && is_model(paths.front())) {
    const Inspected inspected = read(paths.front());
    output.write(json ? as_json(inspected) : as_text(inspected));
  } else {
    train::RunConfig config{.texts = {paths.begin(), paths.end()}, .text = reading};
    std::optional<KeptInput> input;
    for (std::filesystem::path& text : config.texts) {
      if (text == "-") text = (input ? *input : input.emplace()).path();
    }
    text::Corpus corpus = train::read_corpus(config, std::nullopt, cache, reading_progress(json));
    const tools::CheckUp check_up = tools::check_up({config.texts}, std::move(corpus));
    const Suggestion suggestion = suggest(check_up.corpus, minutes);
    output.write(
        json ? check_up_json(check_up, suggestion)
             : check_up_page(check_up, suggestion, shared_arguments(std::span(argv, static_cast<std::size_t>(argc)))));
  }
  output.flush();
  return success;
}

}  // namespace rune::app
