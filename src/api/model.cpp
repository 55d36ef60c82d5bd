#include <rune/model.h>

#include <utility>

#include "api/model_parts.h"
#include "generate/evaluation.h"
#include "text/corpus.h"
#include "train/run_directory.h"

namespace rune {

Model::Model(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model::Model(const ModelOptions& options, const Vocabulary& vocabulary, std::uint64_t seed) {
  auto weights = std::make_shared<const model::Model>(model::new_model(options, text::Vocabulary(vocabulary), seed));
  parts_ = std::make_shared<Parts>(Parts{weights->network.options(), weights->vocabulary, weights});
}

Model Model::load(const std::filesystem::path& path) {
  auto weights = std::make_shared<const model::Model>(model::load_model(train::resolve_model(path)));
  return Model(std::make_shared<Parts>(Parts{weights->network.options(), weights->vocabulary, weights}));
}

void Model::save(const std::filesystem::path& path) const { model::save_model(path, *parts_->weights); }

const ModelOptions& Model::options() const { return parts_->options; }

const Vocabulary& Model::vocabulary() const { return parts_->vocabulary.content(); }

std::int64_t Model::parameter_count() const { return parts_->weights->network.parameters().count(); }

Evaluation Model::evaluate(std::string_view utf8, const EvaluationOptions& options) const {
  const auto unknown = options.skip_unknown ? text::Unknown::skip : text::Unknown::error;
  const auto corpus = text::Corpus::from_text(utf8, {.validation_fraction = 0}, parts_->vocabulary, unknown);
  const model::Network& network = parts_->weights->network;
  ThreadTeam team(options.threads);
  const auto result =
      generate::Evaluator(network, corpus.train, options.protocol, options.sequence_length).evaluate(network, team);
  return {result.loss, result.bits_per_character(), result.perplexity(), result.characters};
}

}  // namespace rune
