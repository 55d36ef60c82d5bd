#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "generate/evaluation.h"
#include "model/model.h"
#include "rune/options.h"
#include "text/corpus.h"
#include "text/corpus_cache.h"
#include "train/run_directory.h"

namespace rune::train {

/// The corpus of a configuration: with the alphabet that is given, that of a training which goes on, else with its own,
/// in the form (unit, case, ...) of the model that config.from names. A large one goes by way of the cache;
/// `on_progress` is told the share that has been read.
text::Corpus read_corpus(const RunConfig& config, std::optional<text::Vocabulary> vocabulary = std::nullopt,
                         text::Cache cache = text::Cache::automatic,
                         const std::function<void(double)>& on_progress = {});
/// What a training on this corpus starts from: the weights of config.from (whose shape overrides config.model) with its
/// alphabet, else new ones. Throws InputError where config.from meets options of new weights alone.
model::Model initial_model(const RunConfig& config, const text::Corpus& corpus);

/// One line of metrics.jsonl: what happened since the line before it.
struct Report {
  std::int64_t step = 0;
  double epoch = 0;             // step / steps in an epoch
  std::int64_t characters = 0;  // trained on since the start
  double train_loss = 0;        // nats per character, mean since the previous line
  std::optional<generate::Evaluation> validation;
  double learning_rate = 0;          // of the last step
  double gradient_norm = 0;          // of the last step, before clipping
  double characters_per_second = 0;  // since the previous line, without evaluation, sampling and saving
  double seconds = 0;                // wall time since the start, earlier sessions included
  bool best = false;                 // lowest validation loss so far
  std::string sample;                // written by the model after an evaluation; not part of metrics.jsonl
};

/// After every step, for a progress display. Plain numbers; nothing here costs time.
struct Progress {
  std::int64_t step = 0;
  std::int64_t total_steps = 0;  // 0 while --minutes is still being measured
  double epoch = 0;
  double train_loss = 0;                  // running mean since the last report
  std::optional<double> validation_loss;  // the last one
  double learning_rate = 0;
  double gradient_norm = 0;
  double characters_per_second = 0;
  double seconds_left = 0;  // estimate, evaluations included once one has been timed
};

struct Observer {
  std::function<void(const Progress&)> on_step;         // may be empty
  std::function<void(const Report&)> on_report;         // may be empty
  std::function<bool()> stop_requested;                 // asked after every step; true: save and return. May be empty
  std::function<bool()> save_requested{};               // asked after every step; true: save and go on. May be empty
  std::function<void(const std::string&)> on_notice{};  // what a user should know, a sentence or two. May be empty
};

enum class Outcome { finished, stopped };

/// Whether a resumed run may go on with another text than it was trained on.
enum class NewCorpus { refuse, accept };

/// The training loop: batches, gradients, clipping, optimiser, schedule, evaluation, metrics, checkpoints.
///
/// A trainer owns model, corpus and optimiser. With a run directory it writes everything there; without one (library
/// use, tests) it keeps all in memory. Bit-exact: stop anywhere, resume, and weights, optimiser, metrics and text are
/// those of the uninterrupted run (same instruction set; runs bounded by steps or epochs). Not thread-safe.
class Trainer {
 public:
  /// A new training. `run` may be null; it is locked. Throws InputError naming the option when something does not fit
  /// (text too short for a batch, ...).
  Trainer(model::Model model, text::Corpus corpus, const TrainOptions& options, RunDirectory* run);
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Goes on from a run directory's last checkpoint, or an older one where that is damaged, and locks the run; the
  /// corpus is the one read from the texts that config.toml names. Throws InputError if its hash differs, unless a new
  /// one is accepted: then the plan is counted in its epochs, from a zero state, and the best loss is forgotten.
  /// Metrics lines after the checkpoint's step are dropped, so that each step stands once. A run that ended before its
  /// first save begins anew.
  static Trainer resume(text::Corpus corpus, RunDirectory& run, NewCorpus new_corpus = NewCorpus::refuse);

  /// Until the end of the plan or until observer.stop_requested. Evaluates and writes a last metrics line when
  /// finished, saves `last`. Before a non-finite loss or gradient touches the weights it rolls back or throws
  /// DivergedError, as options.on_divergence says; nothing bad is saved.
  Outcome run(const Observer& observer);

  /// A longer (or shorter) plan, for `resume --epochs/--steps`. Throws InputError if it ends before the step already
  /// reached.
  void set_duration(const Period& duration);

  /// Time that was spent on this training before it began, such as on choosing what to train: a plan in minutes has so
  /// much less.
  void count_seconds(double seconds);

  /// Where the texts lie now, for `resume --text`.
  void set_texts(std::vector<std::filesystem::path> texts, std::vector<std::filesystem::path> validation_texts);

  [[nodiscard]] bool finished() const;
  [[nodiscard]] std::int64_t step() const;
  [[nodiscard]] std::int64_t steps_per_epoch() const;
  [[nodiscard]] std::int64_t total_steps() const;  // 0: not known yet (minutes)
  [[nodiscard]] const TrainOptions& options() const;
  /// What is measured and kept: with ema_decay the average of the weights.
  [[nodiscard]] const model::Model& model() const;
  [[nodiscard]] std::optional<Protocol> protocol() const;  // the one in use; empty without validation

 private:
  struct Parts;
  explicit Trainer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace rune::train
