#include "train/run_directory.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace rune::train {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Unit = Period::Unit;

std::string error_of(const std::string& toml) {
  try {
    run_config_from_toml(toml, "config.toml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was wrong";
}

RunConfig example() {
  RunConfig config;
  config.texts = {"/texts/a.txt", "/texts/b \"c\" \\ \x7f\né.txt"};
  config.model = {
      .cell = Cell::lstm, .layers = 3, .hidden_size = 512, .embedding = 32, .dropout = 0.1F, .forget_bias = 1.0F};
  config.train.optimizer = {.kind = OptimizerKind::adamw, .learning_rate = 1e-4};
  config.train.schedule = {.kind = ScheduleKind::cosine, .final_learning_rate = 1e-5, .warmup = {100, Unit::steps}};
  config.train.duration = {20, Unit::epochs};
  config.train.protocol = Protocol{Protocol::Kind::rows, 64};
  return config;
}

TEST(RunConfig, EveryValueIsWrittenResolved) {
  const RunConfig config = example();
  const RunConfig read = run_config_from_toml(to_toml(config), "config.toml");
  EXPECT_EQ(read.texts, config.texts);
  ModelOptions model = config.model;
  model.output_dropout = 0.1F;
  EXPECT_EQ(read.model, model);
  TrainOptions train = config.train;
  train.optimizer.weight_decay = 0.01;
  EXPECT_EQ(read.train, train);
}

RC_GTEST_PROP(RunConfig, TomlAndBack, ()) {
  const auto fraction = [] { return *rc::gen::inRange(0, 1'000'000) / 1e6; };
  const auto count = [] { return *rc::gen::inRange(1, 100'000); };
  const auto period = [&](bool minutes) {
    const Unit unit = *rc::gen::element(Unit::steps, Unit::epochs, minutes ? Unit::minutes : Unit::steps);
    return Period{static_cast<double>(count()) / (unit == Unit::steps ? 1 : 8), unit};
  };
  RunConfig config;
  config.model.cell = *rc::gen::element(Cell::rnn, Cell::gru, Cell::lstm, Cell::loop, Cell::loop_concat, Cell::mingru);
  config.model.layers = *rc::gen::inRange(1, 8);
  config.model.hidden_size = *rc::gen::inRange(1, 1000);
  config.model.embedding = *rc::gen::inRange(0, 100);
  config.model.dropout = static_cast<float>(fraction());
  config.model.output_dropout = static_cast<float>(fraction());
  config.model.locked_dropout = *rc::gen::arbitrary<bool>();
  if (config.model.cell != Cell::mingru) config.model.weight_drop = static_cast<float>(fraction());
  TrainOptions& train = config.train;
  train.batch_size = count();
  train.sequence_length = count();
  config.text.validation_fraction = fraction();
  config.text.form.lowercase = *rc::gen::arbitrary<bool>();
  config.text.first_characters = count();
  config.text.form.separator = "\n%\\\"";
  train.clip_norm = fraction() * 10;
  train.duration = period(true);
  train.eval_every = period(true);
  train.save_every = period(true);
  if (*rc::gen::arbitrary<bool>()) train.protocol = Protocol{Protocol::Kind::windows, count()};
  train.sample.length = count();
  train.sample.temperature = fraction();
  train.sample.prompt = "é\n";
  train.seed = static_cast<std::uint64_t>(*rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 62));
  train.threads = count();
  train.optimizer.kind = *rc::gen::element(OptimizerKind::sgd, OptimizerKind::rmsprop);
  train.optimizer.learning_rate = fraction() + 1e-9;
  train.optimizer.weight_decay = fraction();
  train.optimizer.momentum = fraction();
  train.schedule.kind = ScheduleKind::step;
  train.schedule.period = period(false);
  train.schedule.factor = fraction() + 1e-9;
  train.schedule.warmup = period(false);

  const RunConfig read = run_config_from_toml(to_toml(config), "config.toml");
  RC_ASSERT(read.model == config.model);
  RC_ASSERT(read.train == config.train);
  RC_ASSERT(read.text == config.text);
}

TEST(RunConfig, WhatIsLeftOutHasItsDefault) {
  const RunConfig read = run_config_from_toml("[model]\nlayers = 1\n", "config.toml");
  ModelOptions model;
  model.layers = 1;
  EXPECT_EQ(read.model, model);
  EXPECT_EQ(read.train, TrainOptions{});
  EXPECT_TRUE(read.texts.empty());
}

TEST(RunConfig, ErrorsNameFileLineAndColumn) {
  EXPECT_THAT(error_of("[model]\nlayrs = 2\n"),
              testing::AllOf(HasSubstr("config.toml:2:1"), HasSubstr("unknown key 'layrs'; did you mean 'layers'?")));
  EXPECT_THAT(error_of("\n[trian]\n"), testing::AllOf(HasSubstr("config.toml:2:"), HasSubstr("did you mean 'train'?")));
  EXPECT_THAT(error_of("[model]\nlayers = 2.5\n"),
              testing::AllOf(HasSubstr("config.toml:2:10"), HasSubstr("expected layers to be a whole number")));
  EXPECT_THAT(error_of("[model]\nlayers = 99999999999\n"), HasSubstr("config.toml:2:10"));
  EXPECT_THAT(error_of("[model]\ncell = 'lstn'\n"),
              testing::AllOf(HasSubstr("config.toml:2:8"), HasSubstr("did you mean 'lstm'?")));
  EXPECT_THAT(error_of("[train]\nbatch_size = 0\n"),
              testing::AllOf(HasSubstr("config.toml:2:14"), HasSubstr("at least 1")));
  EXPECT_THAT(error_of("[train]\nseed = -1\n"), HasSubstr("config.toml:2:8"));
  EXPECT_THAT(error_of("[train]\nduration = 10\n"),
              HasSubstr("expected duration to be a text in quotes, found integer"));
  EXPECT_THAT(error_of("[train]\nclip_norm = nan\n"), HasSubstr("config.toml:2:13"));
  EXPECT_THAT(error_of("[optimizer]\nnesterov = 1\n"), HasSubstr("true or false"));
  EXPECT_THAT(error_of("[optimizer]\nschedule = \"step:1\"\n"), HasSubstr("config.toml:2:12"));
  EXPECT_THAT(error_of("model = 3\n"), HasSubstr("expected model to be a table"));
  EXPECT_THAT(error_of("texts = [1]\n"), HasSubstr("config.toml:1:10"));
  EXPECT_THAT(error_of("[model\n"), HasSubstr("config.toml:1:"));
  EXPECT_THAT(error_of("[model]\nlayers = 0\n"), HasSubstr("config.toml"));
  EXPECT_THAT(error_of("[optimizer]\nmomentum = 0.5\n"),
              HasSubstr("config.toml: expected momentum to be left alone with adam"));
}

TEST(RunDirectory, IsCreatedWithAbsolutePathsAndOpened) {
  const test::TemporaryFolder folder;
  RunConfig config = example();
  config.texts = {"a.txt"};
  const auto run = RunDirectory::create(folder / "runs/first/", config);
  EXPECT_EQ(run.path(), folder / "runs/first");
  EXPECT_EQ(RunDirectory::open(folder / "runs/first").read_config().texts[0], fs::absolute("a.txt"));
}

TEST(RunDirectory, IsNeverOverwritten) {
  const test::TemporaryFolder folder;
  RunDirectory::create(folder / "run", example());
  const std::string before = read_file(folder / "run/config.toml");
  EXPECT_THROW(RunDirectory::create(folder / "run", {}), FileError);
  EXPECT_EQ(read_file(folder / "run/config.toml"), before);
  write_file_atomically(folder / "file", "");
  EXPECT_THROW(RunDirectory::create(folder / "file", example()), FileError);
  EXPECT_THROW(RunDirectory::create(folder / "file/run", example()), FileError);
}

TEST(RunDirectory, OpenRefusesOtherFolders) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(RunDirectory::open(folder / ""), InputError);
  EXPECT_THROW(RunDirectory::open(folder / "missing"), InputError);
}

TEST(RunDirectory, ModelIsTheBestElseTheLast) {
  const test::TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "run", example());
  EXPECT_THROW(resolve_model(run.path()), InputError);
  write_file_atomically(run.last(), "");
  EXPECT_EQ(resolve_model(run.path()), run.last());
  write_file_atomically(run.best(), "");
  EXPECT_EQ(resolve_model(run.path()), run.best());
  EXPECT_EQ(resolve_model("some.safetensors"), "some.safetensors");
}

}  // namespace
}  // namespace rune::train
