#include "suggestion.h"

#include "model/model.h"
#include "model_summary.h"
#include "train/fit.h"

namespace rune::app {

Suggestion suggest(const text::Corpus& corpus, double minutes) {
  Suggestion suggestion{tools::plan_training(minutes, tools::Machine{}, tools::size_of(corpus))};
  auto& [plan, memory] = suggestion;
  if (corpus.train.size() >= 2) plan.train = train::fitted(plan.train, corpus);
  const model::Model model = model::new_model(plan.model, corpus.vocabulary, 1);
  memory = training_memory(model.network, plan.train, corpus);
  return suggestion;
}

}  // namespace rune::app
