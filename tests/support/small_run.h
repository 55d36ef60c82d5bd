#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "format/safetensors.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"
#include "train/trainer.h"

/// Trainings of a moment on a small text, and all that they leave behind.
namespace rune::train {

namespace fs = std::filesystem;
using Unit = Period::Unit;

inline constexpr int kSteps = 11;  // two epochs and a part of the third

inline std::string random_text(std::size_t size) {
  const RandomStream random(7, RandomPurpose::shuffle);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += "\nabcdefg"[random.bits(i) % 8];
  return text;
}

// 4 streams of 5 characters: 4 blocks an epoch, and a validation split of rows.
inline text::Corpus corpus(double validation_fraction = 0.3) {
  return text::Corpus::from_text(random_text(130), {.validation_fraction = validation_fraction});
}

inline ModelOptions model_options(Cell cell = Cell::lstm) {
  return {.cell = cell, .layers = 2, .hidden_size = 5, .embedding = cell == Cell::gru ? 3 : 0, .dropout = 0.3F};
}

inline TrainOptions train_options() {
  TrainOptions options;
  options.batch_size = 4;
  options.sequence_length = 5;
  options.optimizer.learning_rate = 0.02;
  options.clip_norm = 0.5;
  options.duration = {kSteps, Unit::steps};
  options.eval_every = {3, Unit::steps};
  options.save_every = {2, Unit::steps};
  options.sample.length = 10;
  options.threads = 1;
  return options;
}

inline model::Model new_model(const ModelOptions& options, const text::Corpus& corpus) {
  return model::new_model(options, corpus.vocabulary, 1);
}

inline Trainer start(const fs::path& path, const TrainOptions& options, const ModelOptions& model = model_options(),
                     text::Corpus text = corpus()) {
  RunDirectory run =
      RunDirectory::create(path, {.texts = {"/text"}, .text = text.options, .model = model, .train = options});
  model::Model fresh = new_model(model, text);
  return Trainer(std::move(fresh), std::move(text), options, &run);
}

inline Trainer resume(const fs::path& path, text::Corpus text = corpus()) {
  RunDirectory run = RunDirectory::open(path);
  return Trainer::resume(std::move(text), run);
}

inline Observer stop_after(const Trainer& trainer, std::int64_t step) {
  return {.on_step = {}, .on_report = {}, .stop_requested = [&trainer, step] { return trainer.step() >= step; }};
}

struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

// Ends a run without giving it a chance to save.
inline Observer kill_after(std::int64_t step) {
  return {.on_step =
              [step](const Progress& progress) {
                if (progress.step >= step) throw Killed();
              },
          .on_report = {},
          .stop_requested = {}};
}

inline nlohmann::json untimed(nlohmann::json json) {
  for (const char* key : {"seconds", "characters_per_second", "reported_seconds", "training_seconds"}) json.erase(key);
  return json;
}

inline std::vector<nlohmann::json> metrics_of(const fs::path& run) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(untimed(nlohmann::json::parse(line)));
  return lines;
}

// All that a run leaves behind except its times.
struct Result {
  std::map<std::string, std::string> last;  // tensors and metadata
  std::map<std::string, std::string> best;
  std::vector<nlohmann::json> metrics;
  std::string samples;

  bool operator==(const Result&) const = default;
};

inline std::map<std::string, std::string> contents(const fs::path& path) {
  std::map<std::string, std::string> contents;
  if (!fs::exists(path)) return contents;
  const auto file = format::SafetensorsFile::read(path);
  for (const auto& tensor : file.tensors()) {
    contents[tensor.name] = {reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()};
  }
  for (const auto& [key, value] : file.metadata()) contents[key] = value;
  contents.erase(kConfigKey);  // has what may differ, as the number of threads
  contents["rune.train"] = untimed(nlohmann::json::parse(file.meta("rune.train"))).dump();
  return contents;
}

inline Result result_of(const fs::path& run) {
  return {contents(run / "last.safetensors"), contents(run / "best.safetensors"), metrics_of(run),
          read_file(run / "samples.txt")};
}

inline std::vector<float> weights(const Trainer& trainer) {
  const auto arena = trainer.model().network.parameters().arena();
  return {arena.begin(), arena.end()};
}

// What a step sees, and the text that belongs to it.
enum class Kind { streams, random_lengths, windows, records };

inline void set_batching(Kind kind, TrainOptions& options) {
  switch (kind) {
    case Kind::streams:
      break;
    case Kind::random_lengths:
      options.sequence_lengths = SequenceLengths::random;
      options.reset_state = ResetState::never;
      break;
    case Kind::windows:
      options.batching = Batching::windows;
      options.stride = 2;
      options.loss_on = LossOn::last;
      options.shuffle = true;
      break;
    case Kind::records:
      options.batching = Batching::records;
      options.reduction = Reduction::sum;
      options.shuffle = true;
      break;
  }
}

inline text::Corpus corpus_for(Kind kind) {
  TextOptions options{.validation_fraction = 0.3};
  if (kind == Kind::windows) options.validation_split = ValidationSplit::random_windows;
  if (kind == Kind::records) options.form.records = Records::lines;
  return text::Corpus::from_text(random_text(130), options);
}

}  // namespace rune::train
