#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <rune/options.h>

#include "format/safetensors.h"
#include "model/model.h"
#include "train/loss_trend.h"
#include "train/optimizer.h"
#include "train/run_directory.h"
#include "train/weight_average.h"

namespace rune::train {

/// How far a training has come: the metadata `rune.train` of a checkpoint, as JSON.
struct Position {
  std::int64_t step = 0;         // updates made
  std::int64_t total_steps = 0;  // of the whole plan; 0: not known yet
  std::int64_t steps_per_epoch = 0;
  std::int64_t characters = 0;     // trained on: targets counted in a loss
  double seconds = 0;              // wall time in all sessions
  std::int64_t reported_step = 0;  // of the last metrics line; 0: none yet
  double reported_seconds = 0;
  double loss_sum = 0;  // nats since that line
  std::int64_t loss_characters = 0;
  double training_seconds = 0;            // since that line, without evaluation, sampling and saving
  double learning_rate = 0;               // of the last step
  double gradient_norm = 0;               // of the last step, before clipping
  std::int64_t samples_size = 0;          // bytes of samples.txt
  std::optional<double> train_loss;       // of the last metrics line
  std::optional<double> validation_loss;  // of the last metrics line
  std::optional<double> best_validation_loss;
  LossTrend trend;
  std::int64_t rollbacks = 0;  // after a divergence; each has halved the learning rate
  std::string corpus_hash;
  std::string isa;                // instruction set that the last session ran on
  std::string precision = "f32";  // and with this

  bool operator==(const Position&) const = default;
};

/// Everything that a training changes.
struct TrainState {
  model::Model model;
  Optimizer optimizer;
  model::State carried;  // of the batch's streams, from block to block
  Position position;
  std::optional<WeightAverage> average{};  // with ema_decay: what is measured and kept as the model
};

/// Writes weights, moments (`optimizer.*`) and carried state (`state.hidden`, `state.cell`: (layers, B, H)) to one
/// file, atomically. Where weights are averaged, the file's model is the average, and `raw.*` are the weights that
/// training goes on with. `config`: the run's configuration, which the file keeps beside. The file that is replaced
/// stays as `older`, unless that is empty.
void save_checkpoint(const std::filesystem::path& path, const TrainState& state, const std::string& config = {},
                     const std::filesystem::path& older = {});
/// The same with the model's weights alone: the average, where there is one.
void save_weights(const std::filesystem::path& path, const TrainState& state);

/// The key in a checkpoint's metadata of the run's configuration, as in config.toml.
inline constexpr const char* kConfigKey = "rune.config";

/// Takes what save_checkpoint wrote out of a file. Throws InputError naming the file if anything is missing, unknown,
/// not finite, or does not fit the options.
TrainState train_state_from(const format::SafetensorsFile& file, const TrainOptions& options);
TrainState load_checkpoint(const std::filesystem::path& path, const TrainOptions& options);

/// The position alone, of either kind of file.
Position position_of(const format::SafetensorsFile& file);

/// The newest checkpoint of a run that is whole.
struct FoundCheckpoint {
  format::SafetensorsFile file;
  std::string notice;  // what is wrong with newer ones, and that this one is taken; empty: it is the last
};
/// Nothing if there is none at all, as where a run ended before its first save. Throws the error of the last one if
/// there are some but none is whole.
std::optional<FoundCheckpoint> newest_checkpoint(const RunDirectory& run);

}  // namespace rune::train
