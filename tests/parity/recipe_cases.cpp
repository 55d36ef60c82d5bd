#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "parity/case_file.h"
#include "parity/cases.h"
#include "text/batcher.h"
#include "train/recipe.h"
#include "train/trainer.h"

namespace rune::test {
namespace {

constexpr double kSteps = 50;  // of all epochs of a recipe, about

// Words of random letters, capitals and full stops among them.
std::string random_words(std::size_t size) {
  const RandomStream random(11, RandomPurpose::shuffle);
  std::string text;
  for (std::uint64_t i = 0; text.size() < size; ++i) {
    const std::uint32_t bits = random.bits(i);
    text += static_cast<char>((bits % 16 == 0 ? 'A' : 'a') + bits / 16 % 20);
    if (bits / 512 % 5 == 0) text += bits / 4096 % 8 == 0 ? ".\n" : " ";
  }
  text.resize(size);
  return text;
}

// A text so long that the recipe's epochs have about kSteps steps together.
std::size_t text_size(const train::RunConfig& config) {
  const TrainOptions& train = config.train;
  const int characters =
      train.batch_size * (train.batching == Batching::windows ? train.stride : train.sequence_length);
  const double steps = std::max(2.0, kSteps / train.duration.value);
  return static_cast<std::size_t>(steps * characters / (1 - config.text.validation_fraction));
}

void add_block(CaseFile& file, const std::string& name, const text::TokenBlock& block) {
  const Shape shape{block.sequence_length, block.batch_size};
  file.add(name + ".inputs", shape, block.inputs);
  file.add(name + ".targets", shape, block.targets);
}

// The trainer's own training, and all that PyTorch needs to repeat it.
void dump_recipe_case(const std::filesystem::path& folder, const train::Recipe& recipe) {
  train::RunConfig config = recipe.config;
  if (config.text.validation_characters) {
    config.text.validation_characters.reset();
    config.text.validation_fraction = 0.2;
  }
  config.model.hidden_size = 24;
  config.model.dropout = 0;
  config.train.sample.length = 0;
  config.train.threads = 1;
  text::Corpus corpus = text::Corpus::from_text(random_words(text_size(config)), config.text);
  model::Model model = train::initial_model(config, corpus);

  auto description = describe(config.model, static_cast<int>(corpus.vocabulary.size()));
  description["name"] = recipe.name;
  description["last_only"] = config.train.loss_on == LossOn::last;
  const auto training = text::make_training_batcher(corpus, config.train);
  auto& batches = description["batches"] = nlohmann::json::array();  // of each epoch
  for (int epoch = 0; epoch < static_cast<int>(config.train.duration.value); ++epoch) {
    batches.push_back(training->blocks(epoch));
  }
  const auto validation = text::make_validation_batcher(corpus, config.train);
  description["validation_batches"] = validation->blocks(0);

  CaseFile file(description);
  file.add("", model.network.parameters());
  for (std::size_t epoch = 0; epoch < batches.size(); ++epoch) {
    for (std::int64_t i = 0; i < batches[epoch].get<std::int64_t>(); ++i) {
      add_block(file, fmt::format("training.{}.{}", epoch, i), training->block(static_cast<std::int64_t>(epoch), i));
    }
  }
  for (std::int64_t i = 0; i < validation->blocks(0); ++i) {
    add_block(file, fmt::format("validation.{}", i), validation->block(0, i));
  }

  std::vector<double> steps;
  std::vector<double> train_losses;
  std::vector<double> validation_losses;
  train::Observer observer;
  observer.on_report = [&](const train::Report& report) {
    steps.push_back(static_cast<double>(report.step));
    train_losses.push_back(report.train_loss);
    validation_losses.push_back(report.validation.value().loss);
  };
  train::Trainer trainer(std::move(model), std::move(corpus), config.train, nullptr);
  trainer.run(observer);
  const Shape reports{static_cast<std::int64_t>(steps.size())};
  file.add("report.step", reports, std::move(steps));
  file.add("report.train_loss", reports, std::move(train_losses));
  file.add("report.validation_loss", reports, std::move(validation_losses));
  file.add("trained.", trainer.model().network.parameters());
  file.write(folder, fmt::format("recipe_{}", recipe.name));
}

// Where a recipe's training begins, at its own size.
void dump_initial_case(const std::filesystem::path& folder, const train::Recipe& recipe) {
  constexpr int kLetters = 80;
  std::string letters;
  for (int i = 0; i < kLetters; ++i) letters += std::string(3, static_cast<char>('!' + i));
  TextOptions text = recipe.config.text;
  text.validation_characters.reset();
  const text::Corpus corpus = text::Corpus::from_text(letters, text);
  const model::Model model = train::initial_model(recipe.config, corpus);
  auto description = describe(recipe.config.model, static_cast<int>(corpus.vocabulary.size()));
  description["name"] = recipe.name;
  CaseFile file(description);
  file.add("", model.network.parameters());
  file.write(folder, fmt::format("initial_{}", recipe.name));
}

}  // namespace

void dump_recipe_cases(const std::filesystem::path& folder) {
  for (const train::Recipe& recipe : train::recipes()) {
    if (!recipe.name.starts_with("nietzsche-")) continue;
    dump_initial_case(folder, recipe);
    dump_recipe_case(folder, recipe);
  }
}

}  // namespace rune::test
