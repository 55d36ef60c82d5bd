#include "train/weight_average.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace rune::train {

WeightAverage::WeightAverage(double decay, const model::Model& start) : decay_(decay), model_(model::copy_of(start)) {}

void WeightAverage::add(const model::Parameters& weights, std::int64_t update, ThreadTeam& team) {
  constexpr std::size_t kGrain = 16;  // floats of a cache line, so that no two threads write to one
  const auto t = static_cast<double>(update);
  const auto share = static_cast<float>(1 - std::min(decay_, (1 + t) / (10 + t)));
  const auto latest = weights.arena();
  const auto average = model_.network.mutable_parameters().arena();
  team.run([&](int thread) {
    const auto part = share_of(average.size(), thread, team.size(), kGrain);
    kernels::kernels().move_average(share, latest.data() + part.begin, average.data() + part.begin,
                                    part.end - part.begin);
  });
  packed_ = false;
}

void WeightAverage::use(const kernels::Kernels& kernels) { model_.network.use(kernels); }

const model::Model& WeightAverage::model(ThreadTeam& team) {
  if (!std::exchange(packed_, true)) model_.network.pack(team);
  return model_;
}

}  // namespace rune::train
