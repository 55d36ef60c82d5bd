#include <rune/trainer.h>

#include <atomic>
#include <limits>
#include <utility>

#include <rune/error.h>
#include "api/corpus_parts.h"
#include "api/model_parts.h"
#include "train/trainer.h"

namespace rune {
namespace {

TrainOptions train_options(const TrainerOptions& options) {
  TrainOptions result;
  result.batching = options.batching;
  result.batch_size = options.batch_size;
  result.sequence_length = options.sequence_length;
  result.sequence_lengths = options.sequence_lengths;
  result.reset_state = options.reset_state;
  result.sequence_doubling = options.sequence_doubling;
  result.random_offsets = options.random_offsets;
  result.stride = options.stride;
  result.partial_window = options.partial_window;
  result.loss_on = options.loss_on;
  result.shuffle = options.shuffle;
  result.reduction = options.reduction;
  result.optimizer = options.optimizer;
  result.optimizer.learning_rate = options.learning_rate.value_or(options.optimizer.learning_rate);
  result.ema_decay = options.ema_decay;
  result.schedule = options.schedule;
  result.clip_norm = options.clip_norm;
  result.eval_every = options.eval_every;
  result.protocol = options.protocol;
  result.sample.length = 0;
  result.seed = options.seed;
  result.threads = options.threads;
  return result;
}

Period period_of(const Duration& duration) {
  const auto steps = static_cast<double>(duration.steps);
  const int given = (duration.epochs > 0) + (steps > 0) + (duration.minutes > 0);
  if (given != 1 || duration.epochs < 0 || steps < 0 || duration.minutes < 0) {
    throw InputError("duration: expected exactly one positive number of epochs, steps or minutes");
  }
  if (steps > 0) return {steps, Period::Unit::steps};
  if (duration.epochs > 0) return {duration.epochs, Period::Unit::epochs};
  return {duration.minutes, Period::Unit::minutes};
}

Progress progress_of(const train::Report& report) {
  return {.step = report.step,
          .epoch = report.epoch,
          .characters = report.characters,
          .train_loss = report.train_loss,
          .validation_loss = report.validation ? report.validation->loss : std::numeric_limits<double>::quiet_NaN(),
          .best = report.best,
          .learning_rate = report.learning_rate,
          .gradient_norm = report.gradient_norm,
          .characters_per_second = report.characters_per_second,
          .seconds = report.seconds};
}

}  // namespace

struct Trainer::Parts {
  std::shared_ptr<Model::Parts> model;
  train::Trainer trainer;
  std::atomic<bool> stop_requested = false;

  Parts(std::shared_ptr<Model::Parts> model_parts, const text::Corpus& corpus, const TrainOptions& options)
      : model(std::move(model_parts)), trainer(model::copy_of(*model->weights), corpus, options, nullptr) {}

  void give_weights_back() { model->weights = std::make_shared<const model::Model>(model::copy_of(trainer.model())); }
};

Trainer::Trainer(Model& model, const Corpus& corpus, const TrainerOptions& options) {
  if (corpus.vocabulary() != model.vocabulary()) {
    throw InputError("the model's alphabet is not the corpus's: make the model with corpus.vocabulary()");
  }
  parts_ = std::make_unique<Parts>(model.parts_, corpus.parts_->corpus, train_options(options));
}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

bool Trainer::run(const Duration& duration, const Observer& observer) {
  Parts& parts = *parts_;
  parts.trainer.set_duration(period_of(duration));
  train::Observer inner;
  inner.stop_requested = [&] { return parts.stop_requested.exchange(false); };
  if (observer) {
    inner.on_report = [&](const train::Report& report) {
      parts.give_weights_back();
      observer(progress_of(report));
    };
  }
  try {
    const auto outcome = parts.trainer.run(inner);
    parts.give_weights_back();
    return outcome == train::Outcome::finished;
  } catch (...) {
    parts.give_weights_back();
    throw;
  }
}

void Trainer::request_stop() { parts_->stop_requested = true; }

std::int64_t Trainer::step() const { return parts_->trainer.step(); }

std::int64_t Trainer::steps_per_epoch() const { return parts_->trainer.steps_per_epoch(); }

}  // namespace rune
