#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"
#include "base/thread_team.h"
#include "generate/generator.h"
#include "kernels/kernels.h"
#include "model/alphabet.h"
#include "text/batcher.h"
#include "text/form.h"
#include "text/source.h"
#include "text/stream_batchers.h"
#include "train/checkpoint.h"
#include "train/epochs.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/period.h"
#include "train/schedule.h"
#include "train/train_options.h"

namespace rune::train {
namespace {

using Clock = std::chrono::steady_clock;

// A plan in minutes becomes a number of steps once the speed is known from so much training.
constexpr double kTimedSteps = 3;
constexpr double kTimedSeconds = 2;
constexpr double kTimedShare = 0.05;  // of a short plan, where this is less
// It is looked at again after such a part of it, and made anew where it would miss its end by more than another.
constexpr double kPlanChecked = 0.02;
constexpr double kPlanMissed = 0.02;

constexpr std::int64_t kMostRollbacks = 3;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool in_minutes(const Period& period) { return period.unit == Period::Unit::minutes; }

// System A's rows where training has such rows and the text fills one batch of them.
Protocol choose_protocol(const TrainOptions& options, const text::Corpus& corpus) {
  if (options.protocol) return *options.protocol;
  if (options.batching != Batching::streams || options.sequence_lengths == SequenceLengths::random ||
      options.reset_state == ResetState::never || options.reset_state == ResetState::document) {
    return {Protocol::Kind::batches, 0};
  }
  if (text::StreamBatcher::fits(corpus.validation.size(), options.batch_size, options.sequence_length)) {
    return {Protocol::Kind::rows, options.batch_size};
  }
  return {Protocol::Kind::stream, 0};
}

Epochs epochs_of(text::Batcher& batcher, const TrainOptions& options) {
  const bool equal = options.sequence_lengths == SequenceLengths::fixed && options.sequence_doubling.value == 0;
  if (equal) return Epochs(batcher.blocks(0));
  return Epochs([&batcher](std::int64_t epoch) { return batcher.blocks(epoch); });
}

TrainState new_training(model::Model model, const text::Corpus& corpus, const TrainOptions& options) {
  validate(options);
  validate(corpus.options, options);
  Optimizer optimizer(options.optimizer, model.network.parameters());
  model::State carried(model.network.options(), options.batch_size);
  Position position;
  position.corpus_hash = corpus.hash;
  std::optional<WeightAverage> average;
  if (options.ema_decay > 0) average.emplace(options.ema_decay, model);
  return {std::move(model), std::move(optimizer), std::move(carried), std::move(position), std::move(average)};
}

// What was reported after a position will be reported again.
void drop_reports_after(const RunDirectory& run, const Position& position) {
  drop_metrics_after(run.metrics(), position.step);
  const auto samples_size = static_cast<std::uintmax_t>(position.samples_size);
  cut_file(run.samples(), samples_size);
}

}  // namespace

struct Trainer::Parts {
  Parts(TrainState start, text::Corpus text, const TrainOptions& given, const RunDirectory* directory)
      : options(given),
        corpus(std::move(text)),
        state(std::move(start)),
        team(options.threads),
        batcher(text::make_training_batcher(corpus, options)),
        epochs(epochs_of(*batcher, options)),
        doubled_from(text::doubled_from(options, corpus.train.size())),
        gradients(network().options(), network().vocabulary_size()),
        workspace(compute_as_chosen(), batcher->longest(), options.batch_size, model::Workspace::Mode::training) {
    if (!(corpus.vocabulary == state.model.vocabulary)) {
      throw InputError(
          "expected the model's alphabet to be the text's; a model goes on training on the text it was made for");
    }
    const Protocol protocol = choose_protocol(options, corpus);
    if (protocol.kind == Protocol::Kind::batches) {
      if (auto validation = text::make_validation_batcher(corpus, options)) {
        evaluator.emplace(network(), std::move(validation));
      }
    } else if (!corpus.validation.empty()) {
      evaluator.emplace(network(), corpus.validation, protocol, options.sequence_length);
    }
    options.protocol = evaluator ? std::optional(protocol) : std::nullopt;
    prompt = state.model.vocabulary.encode(options.sample.prompt, text::Unknown::skip, "the sample's prompt");
    if (directory != nullptr) {
      run_directory = *directory;
      config = directory->read_config();
    }
    position().steps_per_epoch = epochs.first();
  }

  /// The network, from now on in this session's precision, on this processor's instruction set.
  model::Network& compute_as_chosen() {
    const kernels::Kernels& kernels = kernels::kernels(options.precision);
    options.precision = kernels.precision;
    network().use(kernels, model::Purpose::training);
    if (state.average) state.average->use(kernels);
    position().isa = kernels::to_string(kernels.isa);
    position().precision = name_of(kernels.precision);
    return network();
  }

  [[nodiscard]] model::Network& network() { return state.model.network; }
  [[nodiscard]] Position& position() { return state.position; }
  /// What is measured, writes, and is kept: the average of the weights where there is one.
  [[nodiscard]] const model::Model& kept_model() { return state.average ? state.average->model(team) : state.model; }

  [[nodiscard]] std::int64_t planned_steps(const Period& duration) const {
    return in_minutes(duration) ? 0 : epochs.end_of(duration, 0);
  }
  [[nodiscard]] bool at_end() const {
    return state.position.total_steps != 0 && state.position.step >= state.position.total_steps;
  }
  [[nodiscard]] bool reported() const { return state.position.reported_step == state.position.step; }
  [[nodiscard]] double epoch() const { return epochs.epochs_at(state.position.step); }
  [[nodiscard]] bool rolls_back() const { return run_directory && options.on_divergence == OnDivergence::rollback; }

  Outcome run(const Observer& observer);
  bool advance(const Observer& observer);
  bool make_up(const Observer& observer);
  void train_step();
  void roll_back(const RunDirectory& run, const DivergedError& divergence, const Observer& observer);
  void accept_new_corpus();
  void fix_total_steps(const Observer& observer);
  void keep_plan();
  [[nodiscard]] std::int64_t steps_left() const;
  bool report(const Observer& observer);
  bool stops(const Observer& observer);
  generate::Evaluation evaluate(generate::Evaluator& on, std::optional<model::State>& carried,
                                const Observer& observer);
  void save_finished_cycle();
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] double expected_seconds_a_step() const;
  /// In steps of the usual length.
  [[nodiscard]] double length_of(std::int64_t first, std::int64_t end) const {
    return static_cast<double>(end - first + std::max<std::int64_t>(0, end - std::max(first, doubled_from)));
  }

  [[noreturn]] void diverged(std::int64_t step, const std::string& found) const;
  void require_finite();
  void save();
  void saved_in(const RunDirectory& run);
  [[nodiscard]] const RunConfig& current_config();
  void write_config();
  void log(const std::string& message) const {
    if (run_directory) append_to_file(run_directory->log(), log_line(message));
  }

  // Where even that fails, the error itself is what counts.
  void log_error(const Error& error) const {
    try {
      log(fmt::format("error: {}", error.what()));
    } catch (const FileError&) {}
  }

  [[nodiscard]] bool evaluation_due() const {
    const Position& now = state.position;
    return in_minutes(options.eval_every) ? now.seconds - now.reported_seconds >= 60 * options.eval_every.value
                                          : epochs.ends(options.eval_every, now.step);
  }
  /// Of the step already reached: the last session was stopped in it, or the plan was cut short to there.
  [[nodiscard]] bool report_missing() const { return !reported() && (at_end() || evaluation_due()); }
  [[nodiscard]] bool save_due() const {
    if (rolls_back() && state.position.trend.unsettled()) return false;
    return in_minutes(options.save_every) ? seconds_since(saved) >= 60 * options.save_every.value
                                          : epochs.ends(options.save_every, state.position.step);
  }
  void update_clock() { position().seconds = earlier_seconds + seconds_since(started); }

  TrainOptions options;
  text::Corpus corpus;
  TrainState state;
  ThreadTeam team;
  std::unique_ptr<text::Batcher> batcher;
  Epochs epochs;              // of the batcher
  std::int64_t doubled_from;  // step from which sequences are twice as long
  model::Parameters gradients;
  model::Workspace workspace;
  std::optional<generate::Evaluator> evaluator;  // absent without validation
  std::vector<std::int32_t> prompt;              // of samples
  std::optional<RunDirectory> run_directory;
  RunConfig config;                  // of the run directory, read once: whoever edits it meanwhile stops no save
  std::int64_t saved_step = -1;      // of the last checkpoint; -1: there is none
  std::string session_notice;        // told when this session begins; empty: nothing to tell
  std::filesystem::path older_name;  // of that checkpoint, when it is no longer the last

  // This session's clock.
  Clock::time_point started = Clock::now();
  Clock::time_point saved = started;
  double earlier_seconds = 0;
  double timed_steps = 0;  // of the usual length; all but the first, which is slower than the rest
  double timed_seconds = 0;
  bool first_step = true;
  bool stopping = false;                     // a stop was requested
  double plan_checked = 0;                   // when the plan in minutes was looked at last
  std::optional<double> evaluation_seconds;  // the last evaluation with its sample
};

Outcome Trainer::Parts::run(const Observer& observer) {
  if (at_end() && reported()) return Outcome::finished;
  started = saved = Clock::now();
  earlier_seconds = position().seconds;
  timed_steps = 0;
  timed_seconds = 0;
  first_step = true;
  stopping = false;
  plan_checked = earlier_seconds;
  log(fmt::format("{} at step {} of {}, {} threads, {} {}", position().step == 0 ? "start" : "resume", position().step,
                  position().total_steps == 0 ? to_string(options.duration) : std::to_string(position().total_steps),
                  team.size(), position().isa, position().precision));
  if (observer.on_notice && !session_notice.empty()) observer.on_notice(session_notice);
  session_notice.clear();
  bool going = true;
  try {
    while (going && !(at_end() && reported())) {
      try {
        going = report_missing() ? make_up(observer) : advance(observer);
      } catch (const DivergedError& divergence) {
        if (!run_directory || !rolls_back()) throw;
        roll_back(*run_directory, divergence, observer);
      }
    }
  } catch (const Error& error) {
    log_error(error);
    throw;
  }
  log(fmt::format("{} at step {}", going ? "finished" : "stop", position().step));
  return going ? Outcome::finished : Outcome::stopped;
}

// False: a stop was requested.
bool Trainer::Parts::make_up(const Observer& observer) {
  const bool whole = report(observer);
  save();
  return whole;
}

// A step and what is due after it. False: a stop was requested.
bool Trainer::Parts::advance(const Observer& observer) {
  train_step();
  update_clock();
  if (position().total_steps == 0) {
    fix_total_steps(observer);
  } else if (in_minutes(options.duration)) {
    keep_plan();
  }
  if (observer.on_step) observer.on_step(progress());
  if (options.save_cycles) save_finished_cycle();
  const bool whole = !(at_end() || evaluation_due()) || report(observer);
  const bool stop = stops(observer);
  const bool asked = observer.save_requested && observer.save_requested();
  if (at_end() || stop || asked || save_due()) save();
  if (at_end() || stop) network().pack(team);  // the model may go on to write
  return whole && (!stop || at_end());
}

bool Trainer::Parts::stops(const Observer& observer) {
  stopping = stopping || (observer.stop_requested && observer.stop_requested());
  return stopping;
}

// 1. the next block, from the state that its streams are in
// 2. loss and gradients of the mean loss; nothing is touched unless both are finite and the loss is no explosion
// 3. clip, update, pack, average
void Trainer::Parts::train_step() {
  const auto start = Clock::now();
  Position& now = position();
  const auto [epoch, index] = epochs.place_of(now.step);
  const bool fresh = !batcher->carries_state() || (index == 0 && options.reset_state == ResetState::epoch);
  if (fresh) state.carried.zero();
  const auto block = batcher->block(epoch, index);

  const model::Loss loss = network().gradients(block, state.carried, options.seed, static_cast<std::uint64_t>(now.step),
                                               workspace, gradients, team, options.reduction);
  const double norm = state.optimizer.norm(gradients, team);
  const double rate =
      learning_rate(options.schedule, options.optimizer.learning_rate, now.step, epochs, now.total_steps) *
      std::ldexp(1.0, -static_cast<int>(now.rollbacks));
  if (!std::isfinite(loss.sum) || !std::isfinite(norm)) {
    now.learning_rate = rate;
    diverged(now.step + 1, fmt::format("loss is {} and gradient norm {}; the weights stay those of step {}",
                                       loss.mean(), norm, now.step));
  }
  now.trend.add(loss.mean());
  if (rolls_back() && now.trend.exploded()) {
    now.learning_rate = rate;
    diverged(now.step + 1, fmt::format("the loss has risen from {:.4f} to {:.4f}", now.trend.level, now.trend.recent));
  }

  state.optimizer.step(network().mutable_parameters(), gradients, rate, clip_factor(norm, options.clip_norm), team);
  network().pack(team, /*with_table=*/false);

  ++now.step;
  if (state.average) state.average->add(network().parameters(), now.step, team);
  now.characters += loss.characters;
  now.loss_sum += loss.sum;
  now.loss_characters += loss.characters;
  now.learning_rate = rate;
  now.gradient_norm = norm;
  const double seconds = seconds_since(start);
  now.training_seconds += seconds;
  if (!std::exchange(first_step, false)) {
    timed_steps += length_of(now.step - 1, now.step);
    timed_seconds += seconds;
  }
}

// Of the usual length.
double Trainer::Parts::expected_seconds_a_step() const {
  if (timed_steps == 0) return 0;
  const double step = timed_seconds / timed_steps;
  const double evaluation = evaluation_seconds.value_or(0);
  if (in_minutes(options.eval_every)) return step * (1 + evaluation / (60 * options.eval_every.value));
  return step + evaluation / static_cast<double>(epochs.end_of(options.eval_every, 0));
}

void Trainer::Parts::fix_total_steps(const Observer& observer) {
  const double limit = 60 * options.duration.value;
  const bool timed = timed_steps >= kTimedSteps && timed_seconds >= std::min(kTimedSeconds, kTimedShare * limit);
  if (!timed && position().seconds < limit) return;
  if (evaluator && !evaluation_seconds) {
    const auto start = Clock::now();
    evaluator->evaluate(kept_model().network, team, nullptr, [&] { return stops(observer); });
    if (stopping) return;
    evaluation_seconds = seconds_since(start);
    update_clock();
  }
  position().total_steps = position().step + steps_left();
  log(fmt::format("{} are {} steps", to_string(options.duration), position().total_steps));
}

// Of a plan in minutes, by the speed of late; the last evaluation is part of it.
std::int64_t Trainer::Parts::steps_left() const {
  const double left = 60 * options.duration.value - state.position.seconds - evaluation_seconds.value_or(0);
  if (left <= 0) return 0;
  const double usual = left / expected_seconds_a_step();
  const auto until_doubled = static_cast<double>(std::max<std::int64_t>(0, doubled_from - state.position.step));
  return static_cast<std::int64_t>(usual <= until_doubled ? usual : until_doubled + (usual - until_doubled) / 2);
}

// The speed of a machine changes: so does the number of steps that end on time.
void Trainer::Parts::keep_plan() {
  const double limit = 60 * options.duration.value;
  Position& now = position();
  if (now.seconds - plan_checked < kPlanChecked * limit || timed_steps < kTimedSteps) return;
  plan_checked = now.seconds;
  const std::int64_t possible = now.step + steps_left();
  const double missed =
      (length_of(now.step, now.total_steps) - length_of(now.step, possible)) * expected_seconds_a_step();
  timed_steps /= 2;  // what is longer ago counts less
  timed_seconds /= 2;
  if (std::abs(missed) <= kPlanMissed * limit) return;
  log(fmt::format("the machine has become {}: {} are {} steps instead of {}", missed > 0 ? "slower" : "faster",
                  to_string(options.duration), possible, now.total_steps));
  now.total_steps = possible;
}

// False: a stop was requested before it was whole; the next session makes it.
bool Trainer::Parts::report(const Observer& observer) {
  const auto start = Clock::now();
  require_finite();
  Position& now = position();
  Report report;
  report.step = now.step;
  report.epoch = epoch();
  report.characters = now.characters;
  report.train_loss = now.loss_sum / static_cast<double>(now.loss_characters);
  report.learning_rate = now.learning_rate;
  report.gradient_norm = now.gradient_norm;
  report.characters_per_second = static_cast<double>(now.loss_characters) / now.training_seconds;
  std::optional<model::State> carried;  // after the evaluation, where it goes on from the training's
  if (evaluator) {
    report.validation = evaluate(*evaluator, carried, observer);
    if (!report.validation->complete) return false;
    if (!std::isfinite(report.validation->loss))
      diverged(now.step, fmt::format("validation loss is {}", report.validation->loss));
  }
  if (options.sample.length > 0) {
    report.sample = options.sample.prompt;
    generate::generate(kept_model(), prompt, options.sample.length, /*num_samples=*/1, sampling_of(options),
                       [&](int, const std::string& character) {
                         report.sample += character;
                         return !stops(observer);
                       });
    if (stopping) return false;
  }

  if (carried) state.carried = std::move(*carried);
  if (report.validation) {
    report.best = report.validation->loss < now.best_validation_loss.value_or(std::numeric_limits<double>::infinity());
    now.validation_loss = report.validation->loss;
    if (report.best) now.best_validation_loss = report.validation->loss;
  }
  update_clock();
  report.seconds = now.seconds;
  now.train_loss = report.train_loss;
  now.reported_step = now.step;
  now.reported_seconds = now.seconds;
  now.loss_sum = 0;
  now.loss_characters = 0;
  now.training_seconds = 0;
  if (run_directory) {
    if (report.best) save_weights(run_directory->best(), state);
    append_to_file(run_directory->metrics(), metrics_line(report));
    if (options.sample.length > 0) {
      const std::string paragraph = sample_paragraph(report);
      append_to_file(run_directory->samples(), paragraph);
      now.samples_size += static_cast<std::int64_t>(paragraph.size());
    }
    log(fmt::format("step {}: train loss {:.4f}{}{}", now.step, report.train_loss,
                    report.validation ? fmt::format(", validation loss {:.4f}", report.validation->loss) : "",
                    report.best ? ", best" : ""));
  }
  evaluation_seconds = seconds_since(start);
  if (observer.on_report) observer.on_report(report);
  return true;
}

generate::Evaluation Trainer::Parts::evaluate(generate::Evaluator& on, std::optional<model::State>& carried,
                                              const Observer& observer) {
  const auto stop = [&] { return stops(observer); };
  if (options.reset_state != ResetState::never) return on.evaluate(kept_model().network, team, nullptr, stop);
  carried.emplace(network().options(), options.batch_size);
  for (int stream = 0; stream < options.batch_size; ++stream) carried->copy_stream(state.carried, stream, stream);
  return on.evaluate(kept_model().network, team, &*carried, stop);
}

void Trainer::Parts::save_finished_cycle() {
  const std::int64_t over = cycles_over(options.schedule, position().step, epochs);
  if (!run_directory || over == cycles_over(options.schedule, position().step - 1, epochs)) return;
  require_finite();
  save_weights(run_directory->cycle(over), state);
  log(fmt::format("saved the end of cycle {} at step {}", over, position().step));
}

Progress Trainer::Parts::progress() const {
  const Position& now = state.position;
  return {.step = now.step,
          .total_steps = now.total_steps,
          .epoch = epoch(),
          .train_loss = now.loss_sum / static_cast<double>(now.loss_characters),
          .validation_loss = now.validation_loss,
          .learning_rate = now.learning_rate,
          .gradient_norm = now.gradient_norm,
          .characters_per_second = static_cast<double>(now.loss_characters) / now.training_seconds,
          .seconds_left = now.total_steps == 0 ? std::max(0.0, 60 * options.duration.value - now.seconds)
                                               : length_of(now.step, now.total_steps) * expected_seconds_a_step()};
}

void Trainer::Parts::diverged(std::int64_t step, const std::string& found) const {
  throw DivergedError(
      fmt::format(
          "training diverged at step {}, learning rate {}: {}. Nothing is saved. Lower the learning rate, clip the "
          "gradient's norm (clip_norm), or begin with a warm-up",
          step, state.position.learning_rate, found),
      step);
}

// A finite gradient can still carry weights or moments out of float's range.
void Trainer::Parts::require_finite() {
  const auto finite = [&](const model::Parameters& weights) {
    return std::isfinite(state.optimizer.norm(weights, team));
  };
  const bool average = !state.average || finite(state.average->weights());
  if (average && finite(network().parameters()) && state.optimizer.finite(team)) return;
  diverged(position().step, "weights or moments are no longer finite");
}

void Trainer::Parts::save() {
  if (!run_directory) return;
  const RunDirectory& run = *run_directory;
  require_finite();
  const bool keep_older = options.keep > 0 && saved_step != position().step;
  save_checkpoint(run.last(), state, run.to_text(current_config()), keep_older ? older_name : std::filesystem::path());
  saved_in(run);
  run.drop_older_checkpoints(options.keep);
  saved = Clock::now();
  log(fmt::format("saved step {}", position().step));
}

void Trainer::Parts::saved_in(const RunDirectory& run) {
  saved_step = position().step;
  older_name = run.older(saved_step, position().validation_loss);
}

// The plan, its time and the best model so far outlast what is trained once more.
void Trainer::Parts::roll_back(const RunDirectory& run, const DivergedError& divergence, const Observer& observer) {
  const Position before = position();
  if (before.rollbacks == kMostRollbacks) {
    throw DivergedError(fmt::format("{}. It has been rolled back {} times, each time with half the learning rate.",
                                    divergence.what(), kMostRollbacks),
                        divergence.step());
  }
  const auto checkpoint = newest_checkpoint(run);
  if (!checkpoint) throw divergence;
  state = train_state_from(checkpoint->file, options);
  Position& now = position();
  now.rollbacks = before.rollbacks + 1;
  now.total_steps = before.total_steps;
  now.best_validation_loss = before.best_validation_loss;
  compute_as_chosen();
  update_clock();
  drop_reports_after(run, now);
  saved_in(run);
  save();
  const std::string notice =
      fmt::format("{}. {}Rolled back to step {} with half the learning rate ({} of {} times).", divergence.what(),
                  checkpoint->notice, now.step, now.rollbacks, kMostRollbacks);
  log(notice);
  if (observer.on_notice) observer.on_notice(notice);
}

void Trainer::Parts::accept_new_corpus() {
  Position& now = position();
  log(fmt::format("accept a new text, hash {} instead of {}", corpus.hash, now.corpus_hash));
  now.corpus_hash = corpus.hash;
  now.best_validation_loss.reset();
  now.trend = {};
  state.carried.zero();
  save();
}

const RunConfig& Trainer::Parts::current_config() {
  config.model = state.model.network.options();
  config.train = options;
  return config;
}

void Trainer::Parts::write_config() {
  if (run_directory) run_directory->write_config(current_config());
}

text::Corpus read_corpus(const RunConfig& config, std::optional<text::Vocabulary> vocabulary, text::Cache cache,
                         const std::function<void(double)>& on_progress) {
  constexpr std::uintmax_t kLarge = 128'000'000;  // bytes
  const text::Sources sources{config.texts, config.validation_texts};
  TextOptions options = config.text;
  if (!vocabulary && !config.from.empty()) {
    options.form = text::form_like(model::load_model(config.from).vocabulary.form(), options.form);
  }
  constexpr auto kPacked = text::Packed::at_most;
  const bool large = text::size_of(sources.texts, kPacked) + text::size_of(sources.validation, kPacked) > kLarge;
  if (cache == text::Cache::always || (cache == text::Cache::automatic && large)) {
    return text::read_by_cache(sources, options, std::move(vocabulary), text::cache_directory(), on_progress);
  }
  return text::Corpus::read(sources, options, std::move(vocabulary), text::Unknown::error,
                            {.on_progress = on_progress});
}

namespace {

// Each unit counted once more than there is of it, so that none is impossible.
void start_at_frequencies(model::Network& network, std::span<const std::int32_t> tokens) {
  const auto size = static_cast<std::size_t>(network.vocabulary_size());
  std::vector<std::int64_t> counts(size, 1);
  for (const std::int32_t token : tokens) ++counts[static_cast<std::size_t>(token)];
  const auto all = static_cast<double>(tokens.size() + size);
  std::ranges::transform(counts, network.mutable_parameters().values("fc.bias").begin(), [&](std::int64_t count) {
    return static_cast<float>(std::log(static_cast<double>(count) / all));
  });
  ThreadTeam team(1);
  network.pack(team);
}

}  // namespace

model::Model initial_model(const RunConfig& config, const text::Corpus& corpus) {
  const bool frequencies = config.train.output_bias == OutputBias::frequencies;
  if (!config.from.empty()) {
    if (frequencies) {
      throw InputError(fmt::format("expected output_bias to be left alone with the weights of '{}', found frequencies",
                                   config.from.string()));
    }
    return model::with_alphabet(model::load_model(config.from), corpus.vocabulary, config.train.seed);
  }
  model::Model model = model::new_model(config.model, corpus.vocabulary, config.train.seed);
  if (frequencies) start_at_frequencies(model.network, corpus.train);
  return model;
}

Trainer::Trainer(model::Model model, text::Corpus corpus, const TrainOptions& options, RunDirectory* run) {
  TrainState start = new_training(std::move(model), corpus, options);
  if (run != nullptr) run->lock();
  parts_ = std::make_unique<Parts>(std::move(start), std::move(corpus), options, run);
  parts_->position().total_steps = parts_->planned_steps(options.duration);
  parts_->write_config();
  parts_->save();
}

Trainer::Trainer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

Trainer Trainer::resume(text::Corpus corpus, RunDirectory& run, NewCorpus new_corpus) {
  run.lock();
  const RunConfig config = run.read_config();
  const auto checkpoint = newest_checkpoint(run);
  if (!checkpoint) {
    if (std::filesystem::exists(run.metrics())) {
      throw InputError(fmt::format("expected last.safetensors in '{}', which has been trained, found none; restore it",
                                   run.path().string()));
    }
    // Ended before its first save: nothing has been trained yet.
    model::Model model = initial_model(config, corpus);
    return Trainer(std::move(model), std::move(corpus), config.train, &run);
  }
  TrainState state = train_state_from(checkpoint->file, config.train);
  const Position position = state.position;
  const kernels::Kernels& kernels = kernels::kernels(config.train.precision);
  const bool changed = corpus.hash != position.corpus_hash;
  if (changed && new_corpus == NewCorpus::refuse) {
    throw InputError(
        fmt::format("expected the text that '{}' was trained on (hash {}), found another (hash {}); name the right one "
                    "with --text, or go on with this one: --accept-new-corpus",
                    run.path().string(), position.corpus_hash, corpus.hash));
  }
  auto parts = std::make_unique<Parts>(std::move(state), std::move(corpus), config.train, &run);
  if (!changed && position.steps_per_epoch != parts->epochs.first()) {
    throw InputError(fmt::format(
        "{}: expected {} steps in the first epoch, as at the start, found {}; were the text's or the batches' options "
        "changed?",
        run.config().string(), position.steps_per_epoch, parts->epochs.first()));
  }
  if (!checkpoint->notice.empty()) {
    parts->log(checkpoint->notice);
    if (std::filesystem::exists(run.last())) std::filesystem::rename(run.last(), run.damaged());
  }
  if (position.isa != kernels::to_string(kernels.isa) || position.precision != name_of(kernels.precision)) {
    parts->session_notice = fmt::format(
        "It was trained with {} {} so far and goes on with {} {}: sums are rounded differently, so that the result "
        "will "
        "not have the bits of an undisturbed training.",
        position.isa, position.precision, kernels::to_string(kernels.isa), name_of(kernels.precision));
    parts->log(parts->session_notice);
  }
  drop_reports_after(run, position);
  parts->saved_in(run);
  // The configuration decides: the epochs may be those of another text now, and a request for another duration may not
  // have come to its end.
  if (!in_minutes(config.train.duration))
    parts->position().total_steps = std::max(parts->planned_steps(config.train.duration), position.step);
  if (!std::filesystem::exists(run.config())) parts->write_config();
  if (changed) parts->accept_new_corpus();
  return Trainer(std::move(parts));
}

Outcome Trainer::run(const Observer& observer) { return parts_->run(observer); }

void Trainer::set_duration(const Period& duration) {
  check_limits("duration", duration, kPositive);
  if (duration == parts_->options.duration) return;
  Position& now = parts_->position();
  const std::int64_t total = parts_->planned_steps(duration);
  if (in_minutes(duration) ? 60 * duration.value <= now.seconds : total < now.step) {
    throw InputError(
        fmt::format("expected a duration beyond step {} ({:.0f} seconds), which is already reached, found {}", now.step,
                    now.seconds, to_string(duration)));
  }
  parts_->options.duration = duration;
  now.total_steps = total;
  // The configuration last: where this ends in between, the same request finds another duration there and is made
  // again.
  parts_->save();
  parts_->write_config();
}

void Trainer::count_seconds(double seconds) { parts_->position().seconds += seconds; }

void Trainer::set_texts(std::vector<std::filesystem::path> texts, std::vector<std::filesystem::path> validation_texts) {
  parts_->config.texts = std::move(texts);
  parts_->config.validation_texts = std::move(validation_texts);
  parts_->write_config();
}

bool Trainer::finished() const { return parts_->at_end() && parts_->reported(); }
std::int64_t Trainer::step() const { return parts_->state.position.step; }
std::int64_t Trainer::steps_per_epoch() const { return parts_->epochs.first(); }
std::int64_t Trainer::total_steps() const { return parts_->state.position.total_steps; }
const TrainOptions& Trainer::options() const { return parts_->options; }
const model::Model& Trainer::model() const { return parts_->kept_model(); }
std::optional<Protocol> Trainer::protocol() const { return parts_->options.protocol; }

}  // namespace rune::train
