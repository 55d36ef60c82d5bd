#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/thread_team.h"
#include "model/network.h"

namespace rune::generate {

/// Dynamic evaluation (Krause, Kahembwe, Murray, Renals, arXiv 1709.07432) with stochastic gradient descent: after a
/// segment has been scored, and never before, the weights take a step on its mean loss and one back to what they were.
///   w += -learning_rate * gradient + decay * (trained w - w)
struct DynamicOptions {
  double learning_rate = 0.3;
  double decay = 1e-3;  // in [0, 1]: of the way back
  int segment = 20;     // characters
};

/// Called with the losses of a segment's characters, in nats, when it has been scored.
using OnSegment = std::function<void(std::span<const float> losses)>;

/// The mean loss of all characters but the first, over one stream, without dropout. The network is not changed: a copy
/// learns. Throws InputError if the options are out of range or the text has less than two characters, DivergedError if
/// the loss is not finite any more.
model::Loss evaluate_dynamically(const model::Network& network, std::span<const std::int32_t> tokens,
                                 const DynamicOptions& options, ThreadTeam& team, const OnSegment& on_segment = {});

}  // namespace rune::generate
