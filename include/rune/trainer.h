#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <rune/corpus.h>
#include <rune/model.h>
#include <rune/options.h>

namespace rune {

/// How a model is trained: TrainOptions, whose defaults hold here too, without what belongs to the corpus, to a run
/// directory or to run().
struct TrainerOptions {
  Batching batching = TrainOptions().batching;
  int batch_size = TrainOptions().batch_size;
  int sequence_length = TrainOptions().sequence_length;
  SequenceLengths sequence_lengths = TrainOptions().sequence_lengths;  ///< streams
  ResetState reset_state = TrainOptions().reset_state;                 ///< streams
  Period sequence_doubling{};                                          ///< streams
  bool random_offsets = TrainOptions().random_offsets;                 ///< streams
  int stride = TrainOptions().stride;                                  ///< windows; 0: the sequence length
  bool partial_window = TrainOptions().partial_window;                 ///< windows
  LossOn loss_on = TrainOptions().loss_on;                             ///< windows
  bool shuffle = TrainOptions().shuffle;                               ///< windows, records
  Reduction reduction = TrainOptions().reduction;
  std::optional<double> learning_rate{};  ///< short for optimizer.learning_rate
  OptimizerOptions optimizer{};
  double ema_decay = TrainOptions().ema_decay;  ///< averaging of weights: what the model gets back; 0: none
  ScheduleOptions schedule{};
  double clip_norm = TrainOptions().clip_norm;    ///< gradient norm above which gradients are scaled down; 0: never
  Period eval_every = TrainOptions().eval_every;  ///< how often the observer is called
  std::optional<Protocol> protocol{};             ///< unset: rows:<batch_size>, or stream if the split is too short
  std::uint64_t seed = TrainOptions().seed;       ///< dropout
  int threads = TrainOptions().threads;           ///< 0: one for each processor this process may use
};

/// How far to train, counted from the model's first step with this trainer. Exactly one is set.
struct Duration {
  double epochs = 0;
  std::int64_t steps = 0;
  double minutes = 0;
};

/// What happened since the last report.
struct Progress {
  std::int64_t step = 0;
  double epoch = 0;                  ///< steps / steps in an epoch
  std::int64_t characters = 0;       ///< trained on since the start
  double train_loss = 0;             ///< nats per character, mean since the last report
  double validation_loss = 0;        ///< nats per character; NaN without validation
  bool best = false;                 ///< the lowest validation loss so far
  double learning_rate = 0;          ///< of the last step
  double gradient_norm = 0;          ///< of the last step, before clipping
  double characters_per_second = 0;  ///< of training alone
  double seconds = 0;                ///< of training since the start
};

/// Trains a model on a corpus, by truncated back-propagation through time over parallel streams.
///
/// A trainer keeps a copy of the weights and gives them back to the model before each call of the observer and when
/// run() ends, however it ends. It shares the corpus and the model, which may be moved meanwhile. Not thread-safe, but
/// for request_stop().
class Trainer {
 public:
  using Observer = std::function<void(const Progress&)>;

  /// Throws InputError naming what does not fit: an option, another alphabet, a text too short for one batch.
  Trainer(Model& model, const Corpus& corpus, const TrainerOptions& options = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Trains until `duration` is reached or a stop is requested; true if it was reached. Called again with a longer
  /// duration it goes on where it ended. Throws InputError if the duration is not exactly one positive number or lies
  /// before step(), and DivergedError before a loss that is not finite touches the weights.
  bool run(const Duration& duration, const Observer& observer = {});
  /// Ends run() after the step under way. Called from any thread, or from the observer.
  void request_stop();

  /// Steps done so far, and in one walk over the corpus.
  [[nodiscard]] std::int64_t step() const;
  [[nodiscard]] std::int64_t steps_per_epoch() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rune
