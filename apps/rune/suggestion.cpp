#include "suggestion.h"

#include <algorithm>
#include <cstdint>

#include "model/model.h"
#include "model_summary.h"
#include "train/fit.h"
#include "train/trainer.h"

namespace rune::app {
namespace {

constexpr double kFewEpochs = 2;
constexpr int kSmallest = 64;
constexpr int kLargeAlphabet = 500;  // from which on an embedding is smaller and faster than one-hot input

ModelOptions model_for(std::int64_t characters, int alphabet) {
  ModelOptions model;
  model.hidden_size = characters < 50'000 ? 64 : characters < 300'000 ? 128 : characters < 1'500'000 ? 256 : 512;
  model.layers = characters < 300'000 ? 1 : 2;
  model.dropout = characters < 1'000'000 ? 0.3F : 0.2F;
  if (model.layers == 1) {
    model.output_dropout = model.dropout;
    model.dropout = 0;
  }
  if (alphabet > kLargeAlphabet) model.embedding = std::min(model.hidden_size, 256);
  return model;
}

/// Steps of training, of which the first is slower.
double measured_speed(const text::Corpus& corpus, const Suggestion& suggestion) {
  TrainOptions options = suggestion.train;
  options.duration = {4, Period::Unit::steps};
  options.eval_every = {1000, Period::Unit::steps};
  options.sample.length = 0;
  text::Corpus part = corpus;
  part.validation = {};
  part.validation_ends.clear();
  train::Trainer trainer(model::new_model(suggestion.model, corpus.vocabulary, 1), std::move(part), options, nullptr);
  double speed = 0;
  train::Observer observer;
  observer.on_step = [&](const train::Progress& progress) { speed = progress.characters_per_second; };
  trainer.run(observer);
  return speed;
}

}  // namespace

Suggestion suggest(const text::Corpus& corpus, double minutes) {
  Suggestion suggestion;
  const std::int64_t size = std::ssize(corpus.train);
  suggestion.model = model_for(size, corpus.vocabulary.size());
  suggestion.train.batching = corpus.train_ends.empty() ? Batching::streams : Batching::records;
  suggestion.train.shuffle = suggestion.train.batching == Batching::records;
  suggestion.train.duration = {minutes, Period::Unit::minutes};
  if (size < 2) return suggestion;
  suggestion.train = train::fitted(suggestion.train, corpus);
  for (;; suggestion.model.hidden_size /= 2) {
    suggestion.characters_per_second = measured_speed(corpus, suggestion);
    suggestion.epochs = suggestion.characters_per_second * 60 * minutes / static_cast<double>(size);
    if (suggestion.epochs >= kFewEpochs || suggestion.model.hidden_size <= kSmallest) break;
  }
  const model::Model model = model::new_model(suggestion.model, corpus.vocabulary, 1);
  suggestion.memory = training_memory(model.network, suggestion.train, corpus);
  return suggestion;
}

}  // namespace rune::app
