#include <gmock/gmock.h>
#include <rune/rune.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace rune {
namespace {

std::string rhyme(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += i % 3 == 0 ? "the sea, the sea,\n" : "über the hills and the sea\n";
  return text;
}

const ModelOptions kSmall{.cell = Cell::gru, .layers = 1, .hidden_size = 16};
const TrainerOptions kQuick{.batch_size = 4, .sequence_length = 16, .learning_rate = 0.01};

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Api, CorpusCountsCharactersAndSplits) {
  const auto corpus = Corpus::from_text("ab\r\nüb", {.validation_fraction = 0.4});
  EXPECT_EQ(corpus.vocabulary(), (Vocabulary{{"\n", "a", "b", "ü"}}));
  EXPECT_EQ(corpus.size(), 5);
  EXPECT_EQ(corpus.validation_size(), 2);
}

TEST(Api, TrainingChangesTheModelAndReports) {
  const auto corpus = Corpus::from_text(rhyme(300));
  Model model(kSmall, corpus.vocabulary(), 3);
  const double before = model.evaluate(rhyme(20)).loss;
  Trainer trainer(model, corpus, kQuick);
  std::vector<Progress> reports;
  EXPECT_TRUE(trainer.run({.epochs = 2}, [&](const Progress& progress) { reports.push_back(progress); }));
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports.back().step, 2 * trainer.steps_per_epoch());
  EXPECT_LT(reports.back().validation_loss, reports.front().validation_loss);
  const auto after = model.evaluate(rhyme(20));
  EXPECT_LT(after.loss, before / 2);
  EXPECT_DOUBLE_EQ(after.perplexity, std::exp(after.loss));
}

TEST(Api, WithoutValidationTheLossIsNotANumber) {
  const auto corpus = Corpus::from_text(rhyme(50), {.validation_fraction = 0});
  Model model(kSmall, corpus.vocabulary());
  Trainer(model, corpus, kQuick).run({.steps = 2}, [](const Progress& progress) {
    EXPECT_TRUE(std::isnan(progress.validation_loss));
  });
}

TEST(Api, TrainingInPartsIsTrainingInOne) {
  const auto corpus = Corpus::from_text(rhyme(300));
  Model whole(kSmall, corpus.vocabulary());
  Trainer(whole, corpus, kQuick).run({.steps = 30});
  Model parts(kSmall, corpus.vocabulary());
  Trainer trainer(parts, corpus, kQuick);
  trainer.run({.steps = 11});
  Model moved = std::move(parts);
  EXPECT_TRUE(trainer.run({.steps = 30}));
  EXPECT_EQ(moved.evaluate(rhyme(20)).loss, whole.evaluate(rhyme(20)).loss);
}

TEST(Api, StopEndsTheRunAfterTheStep) {
  const auto corpus = Corpus::from_text(rhyme(300));
  Model model(kSmall, corpus.vocabulary());
  TrainerOptions options = kQuick;
  options.eval_every = {5, Period::Unit::steps};
  Trainer trainer(model, corpus, options);
  EXPECT_FALSE(trainer.run({.steps = 1000}, [&](const Progress&) { trainer.request_stop(); }));
  EXPECT_EQ(trainer.step(), 5);
}

TEST(Api, AnObserverThatThrowsLeavesTheModelTrained) {
  const auto corpus = Corpus::from_text(rhyme(300));
  Model model(kSmall, corpus.vocabulary());
  const double before = model.evaluate(rhyme(20)).loss;
  Trainer trainer(model, corpus, kQuick);
  EXPECT_THROW(trainer.run({.epochs = 2}, [](const Progress&) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_LT(model.evaluate(rhyme(20)).loss, before);
}

TEST(Api, SavedModelsWriteTheSameText) {
  const auto corpus = Corpus::from_text(rhyme(100));
  const Model model(kSmall, corpus.vocabulary(), 5);
  const auto path = std::filesystem::temp_directory_path() / ("rune-api-" + std::to_string(getpid()) + ".safetensors");
  model.save(path);
  const Model loaded = Model::load(path);
  std::filesystem::remove(path);
  EXPECT_EQ(loaded.options(), model.options());
  EXPECT_EQ(loaded.vocabulary(), model.vocabulary());
  EXPECT_EQ(loaded.parameter_count(), model.parameter_count());
  EXPECT_EQ(Generator(loaded).write("the", 200), Generator(model).write("the", 200));
}

TEST(Api, GeneratorsShareAModelBetweenThreads) {
  const auto corpus = Corpus::from_text(rhyme(100));
  const Model model(kSmall, corpus.vocabulary());
  const Generator generator(model, {.temperature = 0.8F, .top_k = 5, .seed = 7});
  const std::string expected = generator.write("sea", 300);
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  threads.reserve(texts.size());
  for (std::string& text : texts) threads.emplace_back([&] { text = Generator(generator).write("sea", 300); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(texts, testing::Each(expected));
}

TEST(Api, AGeneratorKeepsTheWeightsItWasMadeWith) {
  const auto corpus = Corpus::from_text(rhyme(300));
  Model model(kSmall, corpus.vocabulary());
  const Generator generator(model);
  const std::string before = generator.write("the", 100);
  Trainer(model, corpus, kQuick).run({.steps = 20});
  EXPECT_EQ(generator.write("the", 100), before);
  EXPECT_NE(Generator(model).write("the", 100), before);
}

TEST(Api, AllFormsOfWritingAgree) {
  const auto corpus = Corpus::from_text(rhyme(100));
  const Model model(kSmall, corpus.vocabulary());
  const Generator generator(model, {.seed = 4});
  const auto several = generator.write_several("the ", 80, 3);
  ASSERT_EQ(several.size(), 3U);
  EXPECT_EQ(several[0], generator.write("the ", 80));
  EXPECT_NE(several[1], several[0]);
  std::string streamed;
  generator.write("the ", 80, [&](const std::string& character) {
    streamed += character;
    return streamed.size() < 10;
  });
  EXPECT_EQ(streamed, several[0].substr(0, streamed.size()));
}

TEST(Api, MistakesAreNamed) {
  const auto corpus = Corpus::from_text(rhyme(300));
  EXPECT_THAT(error_of([&] { Model({.layers = 0}, corpus.vocabulary()); }), testing::HasSubstr("layers"));
  Model model(kSmall, corpus.vocabulary());
  EXPECT_THAT(error_of([&] { Trainer(model, Corpus::from_text("another alphabet"), kQuick); }),
              testing::HasSubstr("alphabet"));
  Trainer trainer(model, corpus, kQuick);
  EXPECT_THAT(error_of([&] { trainer.run({}); }), testing::HasSubstr("exactly one"));
  EXPECT_THAT(error_of([&] { trainer.run({.epochs = 1, .steps = 2}); }), testing::HasSubstr("exactly one"));
  EXPECT_THAT(error_of([&] { trainer.run({.steps = -2}); }), testing::HasSubstr("positive"));
  EXPECT_THAT(error_of([&] { Generator(model, {.top_p = 2}); }), testing::HasSubstr("top_p"));
  EXPECT_THAT(error_of([&] { (void)Generator(model).write("Q", 5); }), testing::HasSubstr("U+0051"));
  EXPECT_THAT(error_of([&] { (void)model.evaluate("Q"); }), testing::HasSubstr("U+0051"));
  EXPECT_GT(model.evaluate("Q the sea", {.skip_unknown = true}).loss, 0);
}

}  // namespace
}  // namespace rune
