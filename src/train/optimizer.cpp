#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "kernels/kernels.h"
#include "train/saved_parameters.h"
#include "train/train_options.h"

namespace rune::train {
namespace {

constexpr std::size_t kGrain = 16;  // floats of a cache line, so that no two threads write to one
constexpr std::size_t kNormBlock = 4096;

std::vector<std::string> moment_names(const OptimizerOptions& options) {
  switch (options.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return {"exp_avg", "exp_avg_sq"};
    case OptimizerKind::sgd:
      return options.momentum == 0 ? std::vector<std::string>{} : std::vector<std::string>{"momentum_buffer"};
    case OptimizerKind::rmsprop:
      return options.momentum == 0 ? std::vector<std::string>{"square_avg"}
                                   : std::vector<std::string>{"square_avg", "momentum_buffer"};
  }
  return {};
}

bool is_mean_of_squares(std::string_view moment) { return moment == "exp_avg_sq" || moment == "square_avg"; }

std::string prefix_of(const std::string& moment) { return "optimizer." + moment + "."; }

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, const model::Parameters& like)
    : options_(options),
      weight_decay_(train::weight_decay(options)),
      block_sums_((like.arena().size() + kNormBlock - 1) / kNormBlock) {
  for (std::string& name : moment_names(options)) {
    moments_.push_back({std::move(name), like});
    std::ranges::fill(moments_.back().values.arena(), 0.0F);
  }
}

void Optimizer::step(model::Parameters& parameters, const model::Parameters& gradients, double learning_rate,
                     double gradient_scale, ThreadTeam& team) {
  const auto& kernels = kernels::kernels();
  const auto scale = static_cast<float>(gradient_scale);
  const auto coupled = static_cast<float>(options_.kind == OptimizerKind::adamw ? 0 : weight_decay_);
  const auto rate = static_cast<float>(learning_rate);
  const auto eps = static_cast<float>(options_.eps);
  const auto momentum = static_cast<float>(options_.momentum);
  const bool first_step = steps_ == 0;
  ++steps_;

  // Calls update(offset, n) on each thread's part of the arena.
  const auto split = [&](const auto& update) {
    team.run([&](int thread) {
      const auto part = share_of(parameters.arena().size(), thread, team.size(), kGrain);
      update(part.begin, part.end - part.begin);
    });
  };
  float* const values = parameters.arena().data();
  const float* const slopes = gradients.arena().data();
  const auto moment = [&](std::size_t index) {
    return index < moments_.size() ? moments_[index].values.arena().data() : nullptr;
  };
  float* const first = moment(0);
  float* const second = moment(1);
  const auto at = [](float* moments, std::size_t offset) { return moments == nullptr ? nullptr : moments + offset; };

  switch (options_.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw: {
      const auto t = static_cast<double>(steps_);
      const double correction1 = 1 - std::pow(options_.beta1, t);
      const double correction2 = 1 - std::pow(options_.beta2, t);
      const kernels::AdamUpdate update{
          .gradient_scale = scale,
          .weight_decay = coupled,
          .parameter_scale =
              static_cast<float>(options_.kind == OptimizerKind::adamw ? 1 - learning_rate * weight_decay_ : 1),
          .beta1 = static_cast<float>(options_.beta1),
          .one_minus_beta1 = static_cast<float>(1 - options_.beta1),
          .beta2 = static_cast<float>(options_.beta2),
          .one_minus_beta2 = static_cast<float>(1 - options_.beta2),
          .step_size = static_cast<float>(learning_rate * std::sqrt(correction2) / correction1),
          .eps = static_cast<float>(options_.eps * std::sqrt(correction2)),
      };
      split([&](std::size_t i, std::size_t n) {
        kernels.adam(update, values + i, slopes + i, first + i, second + i, n);
      });
      break;
    }
    case OptimizerKind::sgd: {
      const kernels::SgdUpdate update{.gradient_scale = scale,
                                      .weight_decay = coupled,
                                      .momentum = momentum,
                                      .nesterov = options_.nesterov,
                                      .first_step = first_step,
                                      .learning_rate = rate};
      split([&](std::size_t i, std::size_t n) { kernels.sgd(update, values + i, slopes + i, at(first, i), n); });
      break;
    }
    case OptimizerKind::rmsprop: {
      const kernels::RmspropUpdate update{.gradient_scale = scale,
                                          .weight_decay = coupled,
                                          .alpha = static_cast<float>(options_.alpha),
                                          .one_minus_alpha = static_cast<float>(1 - options_.alpha),
                                          .eps = eps,
                                          .momentum = momentum,
                                          .learning_rate = rate};
      split([&](std::size_t i, std::size_t n) {
        kernels.rmsprop(update, values + i, slopes + i, first + i, at(second, i), n);
      });
      break;
    }
  }
}

// The blocks and the order of their sum depend on the size of the arena alone.
double Optimizer::norm(const model::Parameters& parameters, ThreadTeam& team) {
  const auto& kernels = kernels::kernels();
  const auto values = parameters.arena();
  team.run([&](int thread) {
    const auto blocks = share_of(block_sums_.size(), thread, team.size());
    for (std::size_t block = blocks.begin; block < blocks.end; ++block) {
      const std::size_t begin = block * kNormBlock;
      block_sums_[block] = kernels.sum_of_squares(values.data() + begin, std::min(kNormBlock, values.size() - begin));
    }
  });
  return std::sqrt(std::accumulate(block_sums_.begin(), block_sums_.end(), 0.0));
}

bool Optimizer::finite(ThreadTeam& team) {
  return std::ranges::all_of(moments_, [&](const Moment& moment) { return std::isfinite(norm(moment.values, team)); });
}

std::vector<format::TensorView> Optimizer::tensors() const {
  std::vector<format::TensorView> views;
  for (const Moment& moment : moments_) {
    for (auto& view : tensors_of(prefix_of(moment.name), moment.values)) views.push_back(std::move(view));
  }
  return views;
}

void Optimizer::restore(const format::SafetensorsFile& file, std::int64_t steps) {
  std::size_t expected = 0;
  for (Moment& moment : moments_) {
    const float least = is_mean_of_squares(moment.name) ? 0.0F : std::numeric_limits<float>::lowest();
    read_tensors(file, prefix_of(moment.name), moment.values, least);
    expected += moment.values.tensors().size();
  }
  expect_tensors(file, "optimizer.", expected, "was the optimizer changed?");
  steps_ = steps;
}

double clip_factor(double gradient_norm, double clip_norm) {
  return clip_norm == 0 ? 1 : std::min(1.0, clip_norm / (gradient_norm + 1e-6));
}

}  // namespace rune::train
