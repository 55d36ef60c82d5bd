#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "format/safetensors.h"
#include "support/allocations.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"
#include "text/stream_batchers.h"
#include "train/checkpoint.h"
#include "train/loss_trend.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace rune::train {
namespace {

struct Case {
  std::string name;
  Cell cell;
  OptimizerOptions optimizer;
  std::string schedule;
  Kind kind = Kind::streams;
  void (*change)(TrainOptions& options) = [](TrainOptions&) {};
};

class ResumedRun : public testing::TestWithParam<Case> {
 protected:
  static TrainOptions options() {
    TrainOptions options = train_options();
    options.optimizer = GetParam().optimizer;
    options.optimizer.learning_rate = 0.02;
    options.schedule = parse_schedule(GetParam().schedule, "schedule");
    options.schedule.warmup = {2, Unit::steps};
    set_batching(GetParam().kind, options);
    GetParam().change(options);
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
    {
      Trainer trainer = start(path);
      ASSERT_EQ(trainer.run(stop_after(trainer, step)), Outcome::stopped);
      EXPECT_EQ(trainer.step(), step);
    }
    EXPECT_EQ(resume(path).run({}), Outcome::finished);
    EXPECT_TRUE(result_of(path) == expected) << "stopped at step " << step;
  }
}

// Between steps, and between the blocks of an evaluation, which the next session then makes from its beginning.
TEST_P(ResumedRun, StoppedAtAnyMomentEqualsTheUninterrupted) {
  const test::TemporaryFolder folder;
  const auto stop_when_asked = [](int times) {
    return Observer{.stop_requested = [left = times]() mutable { return --left <= 0; }};
  };
  const Result expected = uninterrupted(folder / "whole");
  Outcome outcome = Outcome::stopped;
  for (int times = 1; outcome == Outcome::stopped; ++times) {
    const fs::path path = folder / std::to_string(times);
    {
      Trainer trainer = start(path);
      outcome = trainer.run(stop_when_asked(times));
    }
    if (outcome == Outcome::stopped) {
      EXPECT_EQ(resume(path).run({}), Outcome::finished);
    }
    EXPECT_TRUE(result_of(path) == expected) << "stopped when asked for the " << times << ". time";
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
        Case{"adam_averaged_lstm",
             Cell::lstm,
             {},
             "cosine",
             Kind::streams,
             [](TrainOptions& options) { options.ema_decay = 0.8; }},
        Case{"adam_averaged_random_lengths_gru",
             Cell::gru,
             {},
             "constant",
             Kind::random_lengths,
             [](TrainOptions& options) {
               options.ema_decay = 0.99;
               options.precision = Precision::automatic;
             }},
        Case{"adam_wsd_offsets_lstm",
             Cell::lstm,
             {},
             "wsd:0.5:sqrt",
             Kind::streams,
             [](TrainOptions& options) { options.random_offsets = true; }},
        Case{"adam_step_doubled_within_an_epoch_lstm",
             Cell::lstm,
             {},
             "step:1e:0.5",
             Kind::streams,
             [](TrainOptions& options) {
               options.sequence_doubling = {5, Unit::steps};
               options.random_offsets = true;
             }},
        Case{"adam_cosine_doubled_carried_on_gru",
             Cell::gru,
             {},
             "cosine",
             Kind::streams,
             [](TrainOptions& options) {
               options.sequence_doubling = {1, Unit::epochs};
               options.reset_state = ResetState::validation;
             }},
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

TEST(Trainer, MeasuresAndKeepsTheAverageOfTheWeights) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  start(folder / "plain", options).run({});
  options.ema_decay = 0.7;
  Trainer trainer = start(folder / "averaged", options);
  std::vector<double> losses;
  Observer observer;
  observer.on_report = [&](const Report& report) { losses.push_back(report.validation->loss); };
  trainer.run(observer);

  // The training itself is the one without averaging.
  const auto plain = contents(folder / "plain/last.safetensors");
  auto averaged = contents(folder / "averaged/last.safetensors");
  for (const auto& tensor : trainer.model().network.parameters().tensors()) {
    EXPECT_EQ(averaged.at("raw." + tensor.name), plain.at(tensor.name)) << tensor.name;
    EXPECT_NE(averaged.at(tensor.name), plain.at(tensor.name)) << tensor.name;
    EXPECT_EQ(averaged.at("optimizer.exp_avg." + tensor.name), plain.at("optimizer.exp_avg." + tensor.name));
  }
  EXPECT_EQ(metrics_of(folder / "averaged").back()["train_loss"], metrics_of(folder / "plain").back()["train_loss"]);

  // What is kept is what has been measured: the best model, the last one, and the trainer's.
  const text::Corpus text = corpus();
  ThreadTeam team(1);
  const auto loss = [&](const model::Model& model) {
    return generate::Evaluator(model.network, text.validation, *trainer.protocol(), options.sequence_length)
        .evaluate(model.network, team)
        .loss;
  };
  EXPECT_EQ(loss(model::load_model(folder / "averaged/last.safetensors")), losses.back());
  EXPECT_EQ(loss(trainer.model()), losses.back());
  EXPECT_EQ(loss(model::load_model(folder / "averaged/best.safetensors")), *std::ranges::min_element(losses));
  EXPECT_FALSE(contents(folder / "averaged/best.safetensors").contains("raw.fc.bias"));
}

TEST(Trainer, DocumentsAreMeasuredEachFromAZeroState) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "texts");
  const std::string text = random_text(100);
  std::size_t begin = 0;
  for (const std::size_t length : {30, 12, 25, 7, 9}) {
    write_file_atomically(folder / "texts" / std::to_string(begin), text.substr(begin, length));
    begin += length;
  }
  const text::Corpus documents = text::Corpus::read(
      {{folder / "texts"}},
      {.form = {.documents = true}, .validation_fraction = 0.4, .validation_split = ValidationSplit::documents});
  TrainOptions options = train_options();
  options.reset_state = ResetState::document;
  options.duration = {3, Unit::steps};
  options.sample.length = 0;
  double loss = 0;
  Observer observer;
  observer.on_report = [&](const Report& report) { loss = report.validation->loss; };
  Trainer trainer(new_model(model_options(), documents), documents, options, nullptr);
  ASSERT_EQ(trainer.run(observer), Outcome::finished);

  const std::span<const std::int32_t> tokens = documents.validation;
  const std::int32_t end = documents.vocabulary.token(text::Symbol::end);
  ThreadTeam team(1);
  double sum = 0;
  int count = 0;
  for (std::size_t from = 0, at = 1; at < tokens.size(); ++at) {
    if (tokens[at] != end) continue;
    const auto document = tokens.subspan(from, at + 1 - from);  // after the end of the one before
    generate::Evaluator alone(trainer.model().network, document, {Protocol::Kind::stream, 0}, 100);
    const auto evaluation = alone.evaluate(trainer.model().network, team);
    sum += evaluation.loss * static_cast<double>(evaluation.characters);
    count += static_cast<int>(evaluation.characters);
    from = at;
  }
  EXPECT_EQ(count, std::ssize(tokens) - 1);
  EXPECT_NEAR(loss, sum / count, 1e-6);
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

TEST(Trainer, LongerSequencesCountAsFewerSteps) {
  TrainOptions options = train_options();
  options.sequence_doubling = {1, Unit::epochs};
  options.duration = {3, Unit::epochs};
  options.eval_every = {1, Unit::epochs};
  Trainer trainer(new_model(model_options(), corpus()), corpus(), options, nullptr);
  std::vector<std::int64_t> steps;
  std::vector<std::int64_t> characters;
  Observer observer;
  observer.on_report = [&](const Report& report) {
    steps.push_back(report.step);
    characters.push_back(report.characters);
  };
  ASSERT_EQ(trainer.run(observer), Outcome::finished);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{4, 6, 8}));
  EXPECT_EQ(characters, (std::vector<std::int64_t>{80, 160, 240}));
}

TEST(InitialModel, GuessesTheFrequenciesOfTheText) {
  const auto text = text::Corpus::from_text(std::string(600, 'a') + std::string(300, 'b') + std::string(99, '\n'),
                                            {.validation_fraction = 0});
  RunConfig config{.texts = {"/text"}, .model = model_options(), .train = train_options()};
  const model::Model uniform = initial_model(config, text);
  config.train.output_bias = OutputBias::frequencies;
  model::Model model = initial_model(config, text);
  const auto bias = model.network.parameters().values("fc.bias");
  ASSERT_EQ(bias.size(), 3U);  // \n a b
  EXPECT_FLOAT_EQ(bias[0], static_cast<float>(std::log(100.0 / 1002)));
  EXPECT_FLOAT_EQ(bias[1], static_cast<float>(std::log(601.0 / 1002)));
  EXPECT_FLOAT_EQ(bias[2], static_cast<float>(std::log(301.0 / 1002)));
  const auto same = uniform.network.parameters().values("fc.weight");
  EXPECT_TRUE(std::ranges::equal(model.network.parameters().values("fc.weight"), same));

  // With weights of zero the loss is the entropy: the network uses these biases.
  std::ranges::fill(model.network.mutable_parameters().values("fc.weight"), 0.0F);
  ThreadTeam team(1);
  model.network.pack(team);
  const auto loss =
      generate::Evaluator(model.network, text.train, {Protocol::Kind::stream, 0}, 5).evaluate(model.network, team).loss;
  EXPECT_NEAR(loss, -(0.6 * std::log(0.6) + 0.3 * std::log(0.3) + 0.1 * std::log(0.1)), 2e-3);
}

TEST(InitialModel, RefusesABiasBesideWeightsOfAnotherModel) {
  const test::TemporaryFolder folder;
  start(folder / "first", train_options()).run({});
  RunConfig config{.texts = {"/text"}, .from = folder / "first/last.safetensors", .train = train_options()};
  config.train.output_bias = OutputBias::frequencies;
  try {
    initial_model(config, corpus());
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("expected output_bias to be left alone with the weights of"));
  }
}

TEST(Trainer, StartsFromAnotherModelsWeights) {
  const test::TemporaryFolder folder;
  Trainer first = start(folder / "first", train_options());
  first.run({});
  RunConfig config{.texts = {"/text"}, .from = folder / "first/last.safetensors", .train = train_options()};
  const model::Model model = initial_model(config, corpus());
  const auto arena = model.network.parameters().arena();
  EXPECT_EQ(std::vector<float>(arena.begin(), arena.end()), weights(first));
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
    for (const auto& file : fs::directory_iterator(folder / "run")) {
      if (file.path().filename() != "lock") files[file.path().filename()] = read_file(file.path());
    }
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
  for (const int threads : {1, 2, 3, 4, 8}) {
    TrainOptions options = train_options();
    options.threads = threads;
    const fs::path path = folder / std::to_string(threads);
    start(path, options).run({});
    results.push_back(result_of(path));
  }
  for (std::size_t i = 1; i < results.size(); ++i) EXPECT_TRUE(results[i] == results[0]) << i;
}

TEST(Trainer, ASteadyStepAllocatesNothing) {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat, Cell::mingru}) {
    TrainOptions options = train_options();
    options.threads = 2;
    options.duration = {20, Unit::steps};
    options.eval_every = {100, Unit::steps};
    options.ema_decay = 0.9;
    ModelOptions model = model_options(cell);
    if (cell != Cell::mingru) model.weight_drop = 0.2F;
    Trainer trainer(new_model(model, corpus()), corpus(), options, nullptr);
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
  options.on_divergence = OnDivergence::stop;
  try {
    start(folder / "run", options, relu).run({});
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
  std::int64_t total = 0;
  {
    Trainer trainer = start(folder / "run", options);
    EXPECT_EQ(trainer.total_steps(), 0);
    EXPECT_EQ(
        trainer.run({.on_step = {}, .on_report = {}, .stop_requested = [&] { return trainer.total_steps() != 0; }}),
        Outcome::stopped);
    total = trainer.total_steps();
    EXPECT_GT(total, trainer.step());
  }
  Trainer resumed = resume(folder / "run");
  EXPECT_EQ(resumed.total_steps(), total);
  EXPECT_EQ(resumed.run({}), Outcome::finished);
  EXPECT_EQ(resumed.step(), resumed.total_steps());
}

TEST(Trainer, APlanInMinutesEndsOnTimeWhenTheMachineBecomesSlower) {
  constexpr double kSeconds = 0.6;
  TrainOptions options = train_options();
  options.duration = {kSeconds / 60, Unit::minutes};
  options.eval_every = {1'000'000, Unit::steps};
  Trainer trainer = Trainer(new_model(model_options(), corpus()), corpus(), options, nullptr);
  std::int64_t first_plan = 0;
  double seconds = 0;
  trainer.run({.on_step =
                   [&](const Progress& progress) {
                     if (first_plan == 0) first_plan = progress.total_steps;
                     if (first_plan != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
                   },
               .on_report = [&](const Report& report) { seconds = report.seconds; },
               .stop_requested = {}});
  EXPECT_TRUE(trainer.finished());
  EXPECT_GT(first_plan, 0);
  EXPECT_LT(trainer.step(), first_plan / 2);
  EXPECT_GE(seconds, 0.9 * kSeconds);
}

TEST(Trainer, TimeBeforeItsBeginIsTimeOfThePlan) {
  TrainOptions options = train_options();
  options.duration = {5, Unit::minutes};
  Trainer trainer = Trainer(new_model(model_options(), corpus()), corpus(), options, nullptr);
  trainer.count_seconds(299.5);
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  trainer.run(
      {.on_step = {}, .on_report = [&](const Report& report) { seconds = report.seconds; }, .stop_requested = {}});
  EXPECT_TRUE(trainer.finished());
  EXPECT_GE(seconds, 299.5);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(4));
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

TEST(Trainer, ARunHasOneTrainerAtATime) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "left") << "half";
  {
    Trainer trainer = start(folder / "run", train_options());
    trainer.run(stop_after(trainer, 2));
    try {
      resume(folder / "run");
      FAIL() << "expected a FileError";
    } catch (const FileError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("is in use by process " + std::to_string(getpid())));
    }
  }
  const fs::path temporary = folder / "run/.last.safetensors.123.tmp";
  fs::rename(folder / "left", temporary);
  EXPECT_EQ(resume(folder / "run").run({}), Outcome::finished);
  EXPECT_FALSE(fs::exists(temporary));
}

std::vector<std::string> older_checkpoints(const fs::path& run) {
  std::vector<std::string> names;
  for (const fs::path& path : RunDirectory::open(run).older_checkpoints()) names.push_back(path.filename());
  return names;
}

TEST(Trainer, KeepsAsManyOlderCheckpointsAsAskedFor) {
  using testing::ElementsAre;
  using testing::StartsWith;
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();  // saves at 2, 4, 6, 8, 10 and at the end; measures at 3, 6, 9
  options.keep = 3;
  start(folder / "three", options).run({});
  const auto names = older_checkpoints(folder / "three");
  ASSERT_THAT(names, ElementsAre(StartsWith("step-10-"), StartsWith("step-8-"), StartsWith("step-6-")));
  const double loss = metrics_of(folder / "three")[1]["validation_loss"];
  EXPECT_EQ(names[2], fmt::format("step-6-{:.4f}.safetensors", loss));
  EXPECT_EQ(load_checkpoint(folder / "three/" / names[2], options).position.step, 6);

  options.keep = 0;
  start(folder / "none", options).run({});
  EXPECT_TRUE(older_checkpoints(folder / "none").empty());
  EXPECT_EQ(contents(folder / "none/last.safetensors"), contents(folder / "three/last.safetensors"));
}

void damage(const fs::path& path) {
  std::string bytes = read_file(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomically(path, bytes);
}

TEST(Trainer, FallsBackToTheNewestWholeCheckpoint) {
  const test::TemporaryFolder folder;
  start(folder / "whole", train_options()).run({});
  const Result expected = result_of(folder / "whole");
  for (const int damaged : {1, 2}) {
    TrainOptions options = train_options();
    options.keep = 2;
    const fs::path path = folder / std::to_string(damaged);
    EXPECT_THROW(start(path, options).run(kill_after(7)), Killed);  // saved at 6, 4, 2
    damage(path / "last.safetensors");
    if (damaged == 2) damage(RunDirectory::open(path).older_checkpoints().front());
    const auto found = newest_checkpoint(RunDirectory::open(path));
    ASSERT_TRUE(found);
    EXPECT_EQ(position_of(found->file).step, damaged == 1 ? 4 : 2);
    EXPECT_THAT(found->notice, testing::AllOf(testing::HasSubstr("last.safetensors' is damaged"),
                                              testing::HasSubstr(found->file.name())));
    {
      Trainer trainer = resume(path);
      EXPECT_EQ(trainer.run({}), Outcome::finished);
    }
    EXPECT_TRUE(result_of(path) == expected) << damaged;
    EXPECT_THAT(read_file(path / "log.txt"), testing::HasSubstr("Going on from"));
    EXPECT_TRUE(fs::exists(path / "damaged.safetensors"));
  }
}

TEST(Trainer, WithoutAWholeCheckpointTheDamageIsTold) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(start(folder / "run", train_options()).run(kill_after(3)), Killed);
  for (const auto& path : RunDirectory::open(folder / "run").older_checkpoints()) fs::remove(path);
  damage(folder / "run/last.safetensors");
  try {
    resume(folder / "run");
    FAIL() << "expected an InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("last.safetensors' is damaged"));
  }
  EXPECT_TRUE(fs::exists(folder / "run/last.safetensors"));
}

TEST(Trainer, StopsWithinAnEvaluationAndMakesItLater) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  options.protocol = generate::parse_protocol("rows:2");  // several blocks of 2 x 5
  start(folder / "whole", options).run({});
  {
    Trainer trainer = start(folder / "run", options);
    int asked = 0;
    const Observer observer{.stop_requested = [&] { return trainer.step() == 3 && ++asked == 2; }};
    EXPECT_EQ(trainer.run(observer), Outcome::stopped);
    EXPECT_EQ(trainer.step(), 3);
    EXPECT_TRUE(metrics_of(folder / "run").empty()) << "the first evaluation is not whole";
  }
  EXPECT_EQ(resume(folder / "run").run({}), Outcome::finished);
  EXPECT_TRUE(result_of(folder / "run") == result_of(folder / "whole"));
}

TEST(Trainer, GoesOnWithTheCheckpointsConfigurationWhereTheFileIsLost) {
  const test::TemporaryFolder folder;
  start(folder / "whole", train_options()).run({});
  {
    Trainer trainer = start(folder / "run", train_options());
    trainer.run(stop_after(trainer, 5));
  }
  const std::string written = read_file(folder / "run/config.toml");
  write_file_atomically(folder / "run/config.toml", written + "[[");
  EXPECT_THAT([&] { resume(folder / "run"); },
              testing::ThrowsMessage<InputError>(testing::HasSubstr("remove config.toml")));
  fs::remove(folder / "run/config.toml");
  EXPECT_EQ(resume(folder / "run").run({}), Outcome::finished);
  EXPECT_TRUE(result_of(folder / "run") == result_of(folder / "whole"));
  EXPECT_EQ(read_file(folder / "run/config.toml"), written) << "it is there again";
}

TEST(Trainer, NoSaveDependsOnAConfigurationThatIsEditedMeanwhile) {
  const test::TemporaryFolder folder;
  start(folder / "whole", train_options()).run({});
  Trainer trainer = start(folder / "run", train_options());
  write_file_atomically(folder / "run/config.toml", "[[");
  EXPECT_EQ(trainer.run({}), Outcome::finished);
  EXPECT_TRUE(result_of(folder / "run") == result_of(folder / "whole"));
}

TEST(Trainer, AnotherDurationThatWasNotKeptWholeIsAskedForAgain) {
  const test::TemporaryFolder folder;
  start(folder / "run", train_options()).run({});
  const std::string before = read_file(folder / "run/config.toml");
  resume(folder / "run").set_duration({kSteps + 4, Unit::steps});
  write_file_atomically(folder / "run/config.toml", before);  // as where the process ended between the two files
  EXPECT_TRUE(resume(folder / "run").finished()) << "by its configuration";
  Trainer trainer = resume(folder / "run");
  trainer.set_duration({kSteps + 4, Unit::steps});
  EXPECT_EQ(trainer.run({}), Outcome::finished);
  EXPECT_EQ(trainer.step(), kSteps + 4);
}

TEST(Trainer, GoesOnWithANewTextWhereThatIsAccepted) {
  const test::TemporaryFolder folder;
  {
    Trainer trainer = start(folder / "run", train_options());
    trainer.run(stop_after(trainer, 5));
  }
  const auto longer = text::Corpus::from_text(random_text(260), {.validation_fraction = 0.3}, corpus().vocabulary);
  EXPECT_THROW(resume(folder / "run", longer), InputError);
  RunDirectory run = RunDirectory::open(folder / "run");
  {
    Trainer trainer = Trainer::resume(longer, run, NewCorpus::accept);
    EXPECT_EQ(trainer.step(), 5);
    EXPECT_GT(trainer.steps_per_epoch(), start(folder / "other", train_options()).steps_per_epoch());
    EXPECT_EQ(trainer.run(stop_after(trainer, 7)), Outcome::stopped);
  }
  run = RunDirectory::open(folder / "run");
  Trainer trainer = Trainer::resume(longer, run);
  EXPECT_EQ(trainer.run({}), Outcome::finished) << "accepted once and for all";
}

TEST(Trainer, SavesWhenItIsAskedTo) {
  const test::TemporaryFolder folder;
  TrainOptions options = train_options();
  options.save_every = {1000, Unit::steps};
  Observer observer = kill_after(7);
  std::int64_t step = 0;
  observer.on_step = [&, kill = observer.on_step](const Progress& progress) {
    step = progress.step;
    kill(progress);
  };
  observer.save_requested = [&] { return step == 5; };
  EXPECT_THROW(start(folder / "run", options).run(observer), Killed);
  EXPECT_EQ(resume(folder / "run").step(), 5);
}

// A rate that blows the loss up after the slow steps of a warm-up, and one that is right after so many halvings.
TrainOptions exploding_options(double rate) {
  TrainOptions options = train_options();
  options.optimizer = {.kind = OptimizerKind::sgd, .learning_rate = rate};
  options.clip_norm = 0;
  options.duration = {300, Unit::steps};
  options.schedule = parse_schedule("stages:0.1@150," + std::to_string(rate) + "@150", "schedule");
  options.eval_every = {50, Unit::steps};
  options.save_every = {20, Unit::steps};
  options.sample.length = 0;
  return options;
}

const ModelOptions kReluOptions{.cell = Cell::rnn, .nonlinearity = Nonlinearity::relu, .layers = 1, .hidden_size = 8};

std::vector<std::string> notices_of(Trainer trainer) {
  std::vector<std::string> notices;
  Observer observer;
  observer.on_notice = [&](const std::string& notice) { notices.push_back(notice); };
  try {
    trainer.run(observer);
    notices.emplace_back("finished");
  } catch (const DivergedError& error) {
    notices.emplace_back(error.what());
  }
  return notices;
}

TEST(Trainer, RollsBackThriceThenGivesUp) {
  const test::TemporaryFolder folder;
  const auto notices = notices_of(start(folder / "run", exploding_options(1e6), kReluOptions));
  ASSERT_EQ(notices.size(), 4U) << testing::PrintToString(notices);
  EXPECT_THAT(notices[0], testing::AllOf(testing::HasSubstr("training diverged at step 1"),
                                         testing::HasSubstr("Rolled back to step 140 with half the learning rate (1 of "
                                                            "3 times)")));
  EXPECT_THAT(notices[2], testing::HasSubstr("(3 of 3 times)"));
  EXPECT_THAT(notices[3], testing::HasSubstr("It has been rolled back 3 times"));
  for (const std::string& notice : {notices[0], notices[3]}) {
    EXPECT_THAT(read_file(folder / "run/log.txt"), testing::HasSubstr(notice));
  }
  const Position position = load_checkpoint(folder / "run/last.safetensors", exploding_options(1e6)).position;
  EXPECT_EQ(position.rollbacks, 3);
  EXPECT_EQ(position.step, 140);
  EXPECT_EQ(metrics_of(folder / "run").size(), 3U) << "steps 50, 100 and, after the last rollback, 150";
}

TEST(Trainer, StopsAtADivergenceWhereThatIsAskedFor) {
  const test::TemporaryFolder folder;
  TrainOptions options = exploding_options(1e6);
  options.on_divergence = OnDivergence::stop;
  const auto notices = notices_of(start(folder / "run", options, kReluOptions));
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_THAT(notices[0], testing::Not(testing::HasSubstr("olled back")));
}

TEST(Trainer, ARolledBackRunIsResumedExactly) {
  const test::TemporaryFolder folder;
  // Found by trial: explodes at 16 times the rate that it survives.
  const TrainOptions options = exploding_options(8);
  const auto notices = notices_of(start(folder / "whole", options, kReluOptions));
  ASSERT_GE(notices.size(), 2U) << testing::PrintToString(notices);
  ASSERT_EQ(notices.back(), "finished") << testing::PrintToString(notices);
  const auto lines = metrics_of(folder / "whole");
  std::vector<std::int64_t> steps;
  for (const auto& line : lines) steps.push_back(line["step"]);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{50, 100, 150, 200, 250, 300})) << "each step once";
  EXPECT_DOUBLE_EQ(lines.back()["learning_rate"], std::ldexp(8.0, 1 - static_cast<int>(notices.size())));

  for (const std::int64_t step : {145, 190, 260}) {
    const fs::path path = folder / std::to_string(step);
    EXPECT_THROW(start(path, options, kReluOptions).run(kill_after(step)), Killed);
    EXPECT_EQ(resume(path).run({}), Outcome::finished);
    EXPECT_EQ(contents(path / "last.safetensors"), contents(folder / "whole/last.safetensors")) << step;
    EXPECT_EQ(metrics_of(path), lines) << step;
  }
}

// Weights that no training made: everything is there but one number.
TEST(Trainer, NumbersThatAreNotFiniteAreNoticedBeforeAnythingIsSaved) {
  const test::TemporaryFolder folder;
  const model::Model model = new_model(model_options(Cell::gru), corpus());
  int runs = 0;
  for (const model::Tensor& tensor : model.network.parameters().tensors()) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (const bool before_the_step : {false, true}) {
        TrainOptions options = train_options();
        options.save_every = {before_the_step ? 1000.0 : 1.0, Unit::steps};
        options.on_divergence = OnDivergence::stop;
        const fs::path path = folder / std::to_string(++runs);
        Trainer trainer = start(path, options, model_options(Cell::gru));
        Observer observer;
        // The trainer owns the model; nothing but a defect of memory changes it while it trains.
        auto& network = const_cast<model::Network&>(trainer.model().network);
        observer.on_step = [&](const Progress& progress) {
          if (progress.step != 2) return;
          network.mutable_parameters().values(tensor.name)[0] = bad;
          ThreadTeam team(1);
          if (before_the_step) network.pack(team);
        };
        EXPECT_THROW(trainer.run(observer), DivergedError) << tensor.name;
        EXPECT_LE(trainer.step(), 3) << tensor.name;
        EXPECT_EQ(load_checkpoint(path / "last.safetensors", options).position.step, before_the_step ? 0 : 1)
            << tensor.name;
      }
    }
  }
  EXPECT_EQ(runs, 44);
}

TEST(LossTrend, TellsAnExplosionFromNoise) {
  LossTrend trend;
  for (int i = 0; i < 99; ++i) trend.add(100);
  EXPECT_FALSE(trend.exploded());
  trend = {};
  trend.add(4);
  for (int i = 0; i < 20; ++i) trend.add(12);
  EXPECT_FALSE(trend.exploded()) << "a beginning may be rough";
  trend.add(400);
  EXPECT_TRUE(trend.exploded());
  trend = {};
  for (int i = 0; i < 500; ++i) trend.add(i % 2 == 0 ? 1.0 : 2.0);
  EXPECT_FALSE(trend.unsettled());
  trend.add(9);  // one strange batch
  EXPECT_FALSE(trend.exploded());
  for (int i = 0; i < 20; ++i) trend.add(4);
  EXPECT_TRUE(trend.exploded());
  trend = {};
  for (int i = 0; i < 500; ++i) trend.add(1e-3);
  for (int i = 0; i < 20; ++i) trend.add(0.5);
  EXPECT_FALSE(trend.exploded()) << "a text known by heart has room to waver";
}

TEST(Trainer, ARunThatEndedBeforeItsFirstSaveBeginsAnew) {
  const test::TemporaryFolder folder;
  start(folder / "whole", train_options()).run({});
  { const Trainer trainer = start(folder / "run", train_options()); }
  fs::remove(folder / "run/last.safetensors");
  resume(folder / "run").run({});
  EXPECT_EQ(contents(folder / "run/last.safetensors"), contents(folder / "whole/last.safetensors"));

  fs::remove(folder / "run/last.safetensors");
  for (const auto& path : RunDirectory::open(folder / "run").older_checkpoints()) fs::remove(path);
  EXPECT_THROW(resume(folder / "run"), InputError) << "a trained run must not begin anew";
}

}  // namespace
}  // namespace rune::train
