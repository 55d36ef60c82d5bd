#include "train/trainer.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "format/safetensors.h"
#include "support/allocations.h"
#include "support/temporary_folder.h"
#include "text/stream_batchers.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace rune::train {
namespace {

namespace fs = std::filesystem;
using Unit = Period::Unit;

constexpr int kSteps = 11;  // two epochs and a part of the third

std::string random_text(std::size_t size) {
  const RandomStream random(7, RandomPurpose::shuffle);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += "\nabcdefg"[random.bits(i) % 8];
  return text;
}

// 4 streams of 5 characters: 4 blocks an epoch, and a validation split of rows.
text::Corpus corpus(double validation_fraction = 0.3) {
  return text::Corpus::from_text(random_text(130), {.validation_fraction = validation_fraction});
}

ModelOptions model_options(Cell cell = Cell::lstm) {
  return {.cell = cell, .layers = 2, .hidden_size = 5, .embedding = cell == Cell::gru ? 3 : 0, .dropout = 0.3F};
}

TrainOptions train_options() {
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

model::Model new_model(const ModelOptions& options, const text::Corpus& corpus) {
  return model::new_model(options, corpus.vocabulary, 1);
}

Trainer start(const fs::path& path, const TrainOptions& options, const ModelOptions& model = model_options(),
              text::Corpus text = corpus()) {
  RunDirectory run =
      RunDirectory::create(path, {.texts = {"/text"}, .text = text.options, .model = model, .train = options});
  model::Model fresh = new_model(model, text);
  return Trainer(std::move(fresh), std::move(text), options, &run);
}

Trainer resume(const fs::path& path, text::Corpus text = corpus()) {
  RunDirectory run = RunDirectory::open(path);
  return Trainer::resume(std::move(text), run);
}

Observer stop_after(const Trainer& trainer, std::int64_t step) {
  return {.on_step = {}, .on_report = {}, .stop_requested = [&trainer, step] { return trainer.step() >= step; }};
}

struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

// Ends a run without giving it a chance to save.
Observer kill_after(std::int64_t step) {
  return {.on_step =
              [step](const Progress& progress) {
                if (progress.step >= step) throw Killed();
              },
          .on_report = {},
          .stop_requested = {}};
}

nlohmann::json untimed(nlohmann::json json) {
  for (const char* key : {"seconds", "characters_per_second", "reported_seconds", "training_seconds"}) json.erase(key);
  return json;
}

std::vector<nlohmann::json> metrics_of(const fs::path& run) {
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

std::map<std::string, std::string> contents(const fs::path& path) {
  std::map<std::string, std::string> contents;
  if (!fs::exists(path)) return contents;
  const auto file = format::SafetensorsFile::read(path);
  for (const auto& tensor : file.tensors()) {
    contents[tensor.name] = {reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()};
  }
  for (const auto& [key, value] : file.metadata()) contents[key] = value;
  contents["rune.train"] = untimed(nlohmann::json::parse(file.meta("rune.train"))).dump();
  return contents;
}

Result result_of(const fs::path& run) {
  return {contents(run / "last.safetensors"), contents(run / "best.safetensors"), metrics_of(run),
          read_file(run / "samples.txt")};
}

std::vector<float> weights(const Trainer& trainer) {
  const auto arena = trainer.model().network.parameters().arena();
  return {arena.begin(), arena.end()};
}

// What a step sees, and the text that belongs to it.
enum class Kind { streams, random_lengths, windows, records };

struct Case {
  std::string name;
  Cell cell;
  OptimizerOptions optimizer;
  std::string schedule;
  Kind kind = Kind::streams;
};

void set_batching(Kind kind, TrainOptions& options) {
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

text::Corpus corpus_for(Kind kind) {
  TextOptions options{.validation_fraction = 0.3};
  if (kind == Kind::windows) options.validation_split = ValidationSplit::random_windows;
  if (kind == Kind::records) options.form.records = Records::lines;
  return text::Corpus::from_text(random_text(130), options);
}

class ResumedRun : public testing::TestWithParam<Case> {
 protected:
  static TrainOptions options() {
    TrainOptions options = train_options();
    options.optimizer = GetParam().optimizer;
    options.optimizer.learning_rate = 0.02;
    options.schedule = parse_schedule(GetParam().schedule, "schedule");
    options.schedule.warmup = {2, Unit::steps};
    set_batching(GetParam().kind, options);
    return options;
  }
  static Trainer start(const fs::path& path) {
    return train::start(path, options(), model_options(GetParam().cell), corpus_for(GetParam().kind));
  }
  static Trainer resume(const fs::path& path) { return train::resume(path, corpus_for(GetParam().kind)); }
  static Result uninterrupted(const fs::path& path) {
    EXPECT_EQ(start(path).run({}), Outcome::finished);
    return result_of(path);
  }
};

TEST_P(ResumedRun, StoppedAtAnyStepEqualsTheUninterrupted) {
  const test::TemporaryFolder folder;
  const Result expected = uninterrupted(folder / "whole");
  for (std::int64_t step = 1; step < kSteps; ++step) {
    const fs::path path = folder / std::to_string(step);
    Trainer trainer = start(path);
    ASSERT_EQ(trainer.run(stop_after(trainer, step)), Outcome::stopped);
    EXPECT_EQ(trainer.step(), step);
    EXPECT_EQ(resume(path).run({}), Outcome::finished);
    EXPECT_TRUE(result_of(path) == expected) << "stopped at step " << step;
  }
}

TEST_P(ResumedRun, KilledAtAnyStepEqualsTheUninterrupted) {
  const test::TemporaryFolder folder;
  const Result expected = uninterrupted(folder / "whole");
  for (std::int64_t step = 1; step <= kSteps; ++step) {
    const fs::path path = folder / std::to_string(step);
    EXPECT_THROW(start(path).run(kill_after(step)), Killed);
    EXPECT_EQ(resume(path).run({}), Outcome::finished);
    EXPECT_TRUE(result_of(path) == expected) << "killed at step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Trainer, ResumedRun,
    testing::Values(
        Case{"adam_constant_lstm", Cell::lstm, {}, "constant"}, Case{"adam_step_rnn", Cell::rnn, {}, "step:1e:0.5"},
        Case{"adamw_exponential_gru", Cell::gru, {.kind = OptimizerKind::adamw}, "exponential:0.9:1"},
        Case{"sgd_cosine_gru", Cell::gru, {.kind = OptimizerKind::sgd}, "cosine:0.001"},
        Case{"adam_constant_loop_concat", Cell::loop_concat, {}, "constant"},
        Case{
            "adam_then_random_lengths_lstm", Cell::lstm, {}, "constant@1e then restarts:3:2:0:1", Kind::random_lengths},
        Case{"adam_cosine_windows_loop", Cell::loop, {}, "cosine", Kind::windows},
        Case{"adam_constant_records_gru", Cell::gru, {}, "constant", Kind::records},
        Case{"momentum_restarts_lstm",
             Cell::lstm,
             {.kind = OptimizerKind::sgd, .momentum = 0.9, .nesterov = true},
             "restarts:3:2"},
        Case{"rmsprop_stages_rnn",
             Cell::rnn,
             {.kind = OptimizerKind::rmsprop, .momentum = 0.5},
             "stages:0.02@1e,0.01@3,0.001@1"}),
    [](const auto& instance) { return instance.param.name; });

// The loop written out plainly.
TEST(Trainer, FollowsTruncatedBackPropagationOverStreams) {
  TrainOptions options = train_options();
  options.schedule = parse_schedule("cosine", "schedule");
  Trainer trainer(new_model(model_options(), corpus()), corpus(), options, nullptr);
  ASSERT_EQ(trainer.run({}), Outcome::finished);

  const text::Corpus text = corpus();
  ThreadTeam team(1);
  model::Model model = new_model(model_options(), text);
  text::StreamBatcher batcher(text.train, 4, 5);
  ASSERT_EQ(batcher.blocks(0), trainer.steps_per_epoch());
  Optimizer optimizer(options.optimizer, model.network.parameters());
  model::Parameters gradients = model.network.parameters();
  model::State state(model.network.options(), 4);
  model::Workspace workspace(model.network, 5, 4, model::Workspace::Mode::training);
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const std::int64_t column = step % batcher.blocks(0);
    if (column == 0) state.zero();
    model.network.gradients(batcher.block(0, column), state, options.seed, static_cast<std::uint64_t>(step), workspace,
                            gradients, team);
    const double rate = 0.02 * (1 + std::cos(std::acos(-1.0) * static_cast<double>(step) / kSteps)) / 2;
    optimizer.step(model.network.mutable_parameters(), gradients, rate,
                   std::min(1.0, 0.5 / (optimizer.norm(gradients, team) + 1e-6)), team);
    model.network.pack(team);
  }
  const auto expected = model.network.parameters().arena();
  EXPECT_EQ(weights(trainer), std::vector<float>(expected.begin(), expected.end()));
}

// The same with a state that validation goes on with, and leaves changed.
TEST(Trainer, AStateThatIsNeverResetGoesThroughEpochsAndValidation) {
  TrainOptions options = train_options();
  options.reset_state = ResetState::never;
  options.eval_every = {3, Unit::steps};
  options.sample.length = 0;
  Trainer trainer(new_model(model_options(), corpus()), corpus(), options, nullptr);
  std::vector<double> losses;
  Observer observer;
  observer.on_report = [&](const Report& report) { losses.push_back(report.validation->loss); };
  ASSERT_EQ(trainer.run(observer), Outcome::finished);
  EXPECT_EQ(*trainer.protocol(), (Protocol{Protocol::Kind::batches, 0}));

  const text::Corpus text = corpus();
  ThreadTeam team(1);
  model::Model model = new_model(model_options(), text);
  text::StreamBatcher batcher(text.train, 4, 5);
  text::RowBatcher validation(text.validation, 4, 5, std::nullopt);
  Optimizer optimizer(options.optimizer, model.network.parameters());
  model::Parameters gradients = model.network.parameters();
  model::State state(model.network.options(), 4);
  model::Workspace workspace(model.network, 5, 4, model::Workspace::Mode::training);
  model::Workspace evaluation(model.network, 5, 4, model::Workspace::Mode::evaluation);
  std::vector<double> expected;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    model.network.gradients(batcher.block(0, step % batcher.blocks(0)), state, options.seed,
                            static_cast<std::uint64_t>(step), workspace, gradients, team);
    optimizer.step(model.network.mutable_parameters(), gradients, 0.02,
                   std::min(1.0, 0.5 / (optimizer.norm(gradients, team) + 1e-6)), team);
    model.network.pack(team);
    if ((step + 1) % 3 != 0 && step + 1 != kSteps) continue;
    model::Loss loss;
    for (std::int64_t i = 0; i < validation.blocks(0); ++i) {
      const model::Loss block = model.network.evaluate(validation.block(0, i), state, evaluation, team);
      loss.sum += block.sum;
      loss.characters += block.characters;
    }
    expected.push_back(loss.mean());
  }
  EXPECT_EQ(losses, expected);
  const auto arena = model.network.parameters().arena();
  EXPECT_EQ(weights(trainer), std::vector<float>(arena.begin(), arena.end()));
}

TEST(Trainer, AValidationPartTooShortForTheBatchIsOneStream) {
  TrainOptions options = train_options();
  options.batch_size = 20;
  options.duration = {1, Unit::steps};
  const text::Corpus text = corpus(0.2);  // 26 characters: not two for each of the 20 streams
  Trainer trainer(new_model(model_options(), text), text, options, nullptr);
  EXPECT_EQ(trainer.run({}), Outcome::finished);
  EXPECT_EQ(trainer.protocol(), (Protocol{Protocol::Kind::stream, 0}));
}

TEST(Trainer, CountsTheTargetsThatHaveALoss) {
  for (const Kind kind : {Kind::windows, Kind::records}) {
    TrainOptions options = train_options();
    set_batching(kind, options);
    options.duration = {2, Unit::epochs};
    options.eval_every = {1, Unit::epochs};
    const text::Corpus text = corpus_for(kind);
    Trainer trainer(new_model(model_options(), text), text, options, nullptr);
    std::vector<std::int64_t> characters;
    Observer observer;
    observer.on_report = [&](const Report& report) { characters.push_back(report.characters); };
    ASSERT_EQ(trainer.run(observer), Outcome::finished);
    // Windows of 5 at stride 2: 63, 18 of them for validation. Records: all tokens but the first of each.
    const auto expected = kind == Kind::windows ? 45 : std::ssize(text.train) - std::ssize(text.train_ends);
    EXPECT_EQ(characters, (std::vector<std::int64_t>{expected, 2 * expected}));
  }
}

TEST(Trainer, StartsFromAnotherModelsWeights) {
  const test::TemporaryFolder folder;
  Trainer first = start(folder / "first", train_options());
  first.run({});
  RunConfig config{.texts = {"/text"}, .from = folder / "first/last.safetensors", .train = train_options()};
  const model::Model model = initial_model(config, corpus().vocabulary);
  const auto arena = model.network.parameters().arena();
  EXPECT_EQ(std::vector<float>(arena.begin(), arena.end()), weights(first));
  EXPECT_THROW(initial_model(config, text::Vocabulary(U"ab")), InputError);
}

TEST(Trainer, WritesALineForEveryEvaluationAndOneAtTheEnd) {
  const test::TemporaryFolder folder;
  std::vector<Report> reports;
  double loss_sum = 0;
  Trainer trainer = start(folder / "run", train_options());
  Observer observer;
  observer.on_report = [&](const Report& report) { reports.push_back(report); };
  trainer.run(observer);
  std::vector<std::int64_t> steps;
  for (const auto& line : metrics_of(folder / "run")) steps.push_back(line["step"]);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{3, 6, 9, 11}));
  ASSERT_EQ(reports.size(), 4U);
  EXPECT_EQ(reports[3].characters, 11 * 4 * 5);
  EXPECT_EQ(reports[3].epoch, 11.0 / static_cast<double>(trainer.steps_per_epoch()));
  EXPECT_EQ(reports[1].sample.size(), 10U);
  ASSERT_TRUE(trainer.protocol());
  EXPECT_EQ(*trainer.protocol(), (Protocol{Protocol::Kind::rows, 4}));
  double best = std::numeric_limits<double>::infinity();
  for (const Report& report : reports) {
    ASSERT_TRUE(report.validation);
    EXPECT_EQ(report.best, report.validation->loss < best);
    best = std::min(best, report.validation->loss);
    loss_sum += report.train_loss;
  }
  EXPECT_LT(loss_sum, 4 * std::log(16.0));
  const std::string samples = read_file(folder / "run/samples.txt");
  for (const Report& report : reports) EXPECT_THAT(samples, testing::HasSubstr(report.sample));
  EXPECT_EQ(RunDirectory::open(folder / "run").read_config().train.protocol, trainer.protocol());
}

TEST(Trainer, AnEvaluationAtTheEndIsNotRepeated) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  options.duration = {6, Unit::steps};
  start(folder / "run", options).run({});
  EXPECT_EQ(metrics_of(folder / "run").size(), 2U);
}

TEST(Trainer, TrainLossIsTheMeanSinceTheLineBefore) {
  std::vector<double> means;
  for (const double every : {1.0, 4.0}) {
    TrainOptions options = train_options();
    options.duration = {4, Unit::steps};
    options.eval_every = {every, Unit::steps};
    Trainer trainer(new_model(model_options(), corpus()), corpus(), options, nullptr);
    double sum = 0;
    int reports = 0;
    Observer observer;
    observer.on_report = [&](const Report& report) {
      sum += report.train_loss;
      ++reports;
    };
    trainer.run(observer);
    EXPECT_EQ(reports, every == 1 ? 4 : 1);
    means.push_back(sum / reports);
  }
  EXPECT_NEAR(means[0], means[1], 1e-12);
}

TEST(Trainer, WithoutValidationThereIsNoBestModel) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  Trainer trainer = start(folder / "run", options, model_options(), corpus(0));
  trainer.run({});
  EXPECT_FALSE(trainer.protocol());
  EXPECT_FALSE(fs::exists(folder / "run/best.safetensors"));
  EXPECT_TRUE(fs::exists(folder / "run/last.safetensors"));
  const auto lines = metrics_of(folder / "run");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[0]["validation_loss"].is_null());
}

TEST(Trainer, AShortValidationSplitIsReadAsOneStream) {
  TrainOptions options = train_options();
  Trainer trainer(new_model(model_options(), corpus(0.1)), corpus(0.1), options, nullptr);
  ASSERT_TRUE(trainer.protocol());
  EXPECT_EQ(trainer.protocol()->kind, Protocol::Kind::stream);
}

TEST(Trainer, CanBeResumedFromBeforeItsFirstStep) {
  const test::TemporaryFolder folder;
  start(folder / "whole", train_options()).run({});
  { const Trainer never_run = start(folder / "run", train_options()); }
  EXPECT_EQ(resume(folder / "run").run({}), Outcome::finished);
  EXPECT_TRUE(result_of(folder / "run") == result_of(folder / "whole"));
}

TEST(Trainer, AFinishedRunIsLeftAsItIs) {
  const test::TemporaryFolder folder;
  start(folder / "run", train_options()).run({});
  const auto bytes = [&] {
    std::map<std::string, std::string> files;
    for (const auto& file : fs::directory_iterator(folder / "run"))
      files[file.path().filename()] = read_file(file.path());
    return files;
  };
  const auto before = bytes();
  Trainer trainer = resume(folder / "run");
  EXPECT_TRUE(trainer.finished());
  EXPECT_EQ(trainer.run({}), Outcome::finished);
  EXPECT_EQ(bytes(), before);
}

TEST(Trainer, AnExtendedRunKeepsTheLineOfItsFirstEnd) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  options.duration = {4, Unit::steps};
  start(folder / "run", options).run({});
  {
    Trainer trainer = resume(folder / "run");
    EXPECT_THROW(trainer.set_duration({3, Unit::steps}), InputError);
    trainer.set_duration({7, Unit::steps});
    EXPECT_FALSE(trainer.finished());
  }
  Trainer trainer = resume(folder / "run");  // the longer plan outlives the process
  EXPECT_EQ(trainer.total_steps(), 7);
  EXPECT_EQ(trainer.options().duration, (Period{7, Unit::steps}));
  EXPECT_EQ(trainer.run({}), Outcome::finished);
  std::vector<std::int64_t> steps;
  for (const auto& line : metrics_of(folder / "run")) steps.push_back(line["step"]);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{3, 4, 6, 7}));

  options.duration = {7, Unit::steps};
  start(folder / "whole", options).run({});
  EXPECT_EQ(contents(folder / "run/last.safetensors")["fc.weight"],
            contents(folder / "whole/last.safetensors")["fc.weight"]);
}

TEST(Trainer, APlanCutShortToTheStepReachedEndsWithALine) {
  const test::TemporaryFolder folder;
  Trainer trainer = start(folder / "run", train_options());
  trainer.run(stop_after(trainer, 5));
  trainer.set_duration({5, Unit::steps});
  EXPECT_FALSE(trainer.finished());
  EXPECT_EQ(trainer.run({}), Outcome::finished);
  EXPECT_TRUE(trainer.finished());
  EXPECT_EQ(trainer.step(), 5);
  EXPECT_EQ(metrics_of(folder / "run").back()["step"], 5);
}

TEST(Trainer, BitsDoNotDependOnTheNumberOfThreads) {
  const test::TemporaryFolder folder;
  std::vector<Result> results;
  for (const int threads : {1, 2, 3}) {
    TrainOptions options = train_options();
    options.threads = threads;
    const fs::path path = folder / std::to_string(threads);
    start(path, options).run({});
    results.push_back(result_of(path));
  }
  EXPECT_TRUE(results[0] == results[1]);
  EXPECT_TRUE(results[0] == results[2]);
}

TEST(Trainer, ASteadyStepAllocatesNothing) {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat}) {
    TrainOptions options = train_options();
    options.threads = 2;
    options.duration = {20, Unit::steps};
    options.eval_every = {100, Unit::steps};
    Trainer trainer(new_model(model_options(cell), corpus()), corpus(), options, nullptr);
    std::int64_t before = 0;
    Observer observer;
    observer.on_step = [&](const Progress& progress) {
      const std::int64_t now = test::allocations();
      if (progress.step > 1) {
        EXPECT_EQ(now, before) << "in step " << progress.step;
      }
      before = test::allocations();
    };
    trainer.run(observer);
    EXPECT_EQ(trainer.step(), 20);
  }
}

TEST(Trainer, DivergenceLeavesTheLastGoodCheckpoint) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  options.optimizer = {.kind = OptimizerKind::sgd, .learning_rate = 1e30};
  options.clip_norm = 0;
  options.save_every = {1, Unit::steps};
  options.eval_every = {1, Unit::steps};
  const ModelOptions relu{.cell = Cell::rnn, .nonlinearity = Nonlinearity::relu, .layers = 1, .hidden_size = 8};
  Trainer trainer = start(folder / "run", options, relu);
  try {
    trainer.run({});
    FAIL() << "expected a DivergedError";
  } catch (const DivergedError& error) {
    EXPECT_GE(error.step(), 1);
    EXPECT_LE(error.step(), 5);
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("1e+30"), testing::HasSubstr("Lower the learning rate"),
                                             testing::HasSubstr("step " + std::to_string(error.step()))));
  }
  EXPECT_NO_THROW(resume(folder / "run")) << "a checkpoint with only finite values";
  for (const auto& line : metrics_of(folder / "run")) EXPECT_TRUE(line["validation_loss"].is_number());
  EXPECT_THAT(read_file(folder / "run/log.txt"), testing::HasSubstr("error: training diverged"));
}

TEST(Trainer, MinutesBecomeStepsThatTheCheckpointKeeps) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  options.duration = {0.5 / 60, Unit::minutes};
  options.eval_every = {100'000, Unit::steps};
  options.save_every = {100'000, Unit::steps};
  options.schedule = parse_schedule("cosine", "schedule");
  Trainer trainer = start(folder / "run", options);
  EXPECT_EQ(trainer.total_steps(), 0);
  EXPECT_EQ(trainer.run({.on_step = {}, .on_report = {}, .stop_requested = [&] { return trainer.total_steps() != 0; }}),
            Outcome::stopped);
  const std::int64_t total = trainer.total_steps();
  EXPECT_GT(total, trainer.step());
  Trainer resumed = resume(folder / "run");
  EXPECT_EQ(resumed.total_steps(), total);
  EXPECT_EQ(resumed.run({}), Outcome::finished);
  EXPECT_EQ(resumed.step(), total);
}

TEST(Trainer, RefusesWhatDoesNotFit) {
  const test::TemporaryFolder folder;
  const auto refuses = [](const TrainOptions& options, text::Corpus text) {
    EXPECT_THROW(Trainer(new_model(model_options(), corpus()), std::move(text), options, nullptr), InputError);
  };
  TrainOptions too_long = train_options();
  too_long.sequence_length = 1000;
  refuses(too_long, corpus());
  TrainOptions invalid = train_options();
  invalid.optimizer.learning_rate = -1;
  refuses(invalid, corpus());
  refuses(train_options(), text::Corpus::from_text(std::string(200, 'x') + "yz", {.validation_fraction = 0.3}));

  { const Trainer trainer = start(folder / "run", train_options()); }
  EXPECT_THROW(resume(folder / "run", text::Corpus::from_text(random_text(131), {.validation_fraction = 0.3})),
               InputError);
}

TEST(Trainer, ARunThatEndedBeforeItsFirstSaveBeginsAnew) {
  const test::TemporaryFolder folder;
  start(folder / "whole", train_options()).run({});
  { const Trainer trainer = start(folder / "run", train_options()); }
  fs::remove(folder / "run/last.safetensors");
  resume(folder / "run").run({});
  EXPECT_EQ(contents(folder / "run/last.safetensors"), contents(folder / "whole/last.safetensors"));

  fs::remove(folder / "run/last.safetensors");
  EXPECT_THROW(resume(folder / "run"), InputError) << "a trained run must not begin anew";
}

}  // namespace
}  // namespace rune::train
