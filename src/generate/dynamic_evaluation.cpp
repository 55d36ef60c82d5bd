#include "generate/dynamic_evaluation.h"

#include <cmath>
#include <cstddef>

#include <fmt/format.h>
#include <rune/error.h>

#include "text/stream_batchers.h"

namespace rune::generate {
namespace {

void validate(const DynamicOptions& options) {
  const auto require = [](bool condition, const char* option, const auto& value, const char* allowed) {
    if (!condition) throw InputError(fmt::format("{} must be {}, found {}", option, allowed, value));
  };
  require(options.learning_rate >= 0 && std::isfinite(options.learning_rate), "the learning rate",
          options.learning_rate, "a number of at least 0");
  require(options.decay >= 0 && options.decay <= 1, "the decay", options.decay, "in 0 to 1");
  require(options.segment >= 1, "the segment", options.segment, "at least 1 character");
}

/// The same weights and kernels, and no dropout where gradients are taken.
model::Network copy_without_dropout(const model::Network& network) {
  ModelOptions options = network.options();
  options.dropout = 0;
  options.output_dropout = 0;
  return {options, network.vocabulary_size(), network.parameters(), model::Purpose::training, network.kernels()};
}

/// A thread's share of a step.
void learn(std::span<float> weights, std::span<const float> trained, std::span<const float> gradients,
           const DynamicOptions& options, Range share) {
  const auto rate = static_cast<float>(options.learning_rate);
  const auto decay = static_cast<float>(options.decay);
  for (std::size_t i = share.begin; i < share.end; ++i)
    weights[i] += decay * (trained[i] - weights[i]) - rate * gradients[i];
}

}  // namespace

model::Loss evaluate_dynamically(const model::Network& network, std::span<const std::int32_t> tokens,
                                 const DynamicOptions& options, ThreadTeam& team, const OnSegment& on_segment) {
  validate(options);
  if (tokens.size() < 2)
    throw InputError(fmt::format("evaluation needs a text of at least 2 characters, found {}", tokens.size()));
  text::WholeTextBatcher batcher(tokens, options.segment);
  model::Network learner = copy_without_dropout(network);
  model::State state(learner.options(), 1);
  model::Workspace workspace(learner, batcher.longest(), 1, model::Workspace::Mode::training);
  model::Parameters gradients(learner.options(), learner.vocabulary_size());
  const std::span<const float> trained = network.parameters().arena();
  const std::span<float> weights = learner.mutable_parameters().arena();

  model::Loss total;
  constexpr std::int64_t kEpoch = 0;
  constexpr std::uint64_t kNoDropout = 0;
  for (std::int64_t i = 0; i < batcher.blocks(kEpoch); ++i) {
    const text::TokenBlock segment = batcher.block(kEpoch, i);
    const model::Loss loss = learner.gradients(segment, state, kNoDropout, kNoDropout, workspace, gradients, team);
    if (!std::isfinite(loss.sum)) {
      throw DivergedError(fmt::format("the loss is {} after {} characters: choose a learning rate below {}", loss.sum,
                                      total.characters, options.learning_rate),
                          i);
    }
    total.sum += loss.sum;
    total.characters += loss.characters;
    if (on_segment) on_segment(workspace.losses().first(segment.targets.size()));
    team.run([&](int thread) {
      learn(weights, trained, gradients.arena(), options, share_of(weights.size(), thread, team.size(), 16));
    });
    learner.pack(team, /*with_table=*/false);
  }
  return total;
}

}  // namespace rune::generate
