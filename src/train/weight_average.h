#pragma once

#include <cstdint>

#include "base/thread_team.h"
#include "kernels/kernels.h"
#include "model/model.h"

namespace rune::train {

/// The exponential moving average of a model's weights over the updates of a training, as a model of its own.
///
/// Update t, counted from 1, leaves average = d * average + (1 - d) * weights with d = min(decay, (1 + t) / (10 + t)):
/// the average is over few updates while there are few, and what it started from is soon forgotten. So it needs nothing
/// but itself to go on. Owns its weights; add() allocates nothing; not thread-safe.
class WeightAverage {
 public:
  /// Starts as the weights of `start`; `decay` is above 0 and below 1.
  WeightAverage(double decay, const model::Model& start);

  /// Takes in the weights that the update of this number has left.
  void add(const model::Parameters& weights, std::int64_t update, ThreadTeam& team);

  /// Its model computes with other kernels from now on.
  void use(const kernels::Kernels& kernels);
  [[nodiscard]] const model::Parameters& weights() const { return model_.network.parameters(); }
  /// The model of these weights, packed first where they have changed.
  const model::Model& model(ThreadTeam& team);

 private:
  double decay_;
  model::Model model_;
  bool packed_ = true;
};

}  // namespace rune::train
