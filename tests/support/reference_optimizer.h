#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <rune/options.h>

namespace rune::test {

/// The optimisers as PyTorch's documentation states them, in double precision, one element at a time.
class ReferenceOptimizer {
 public:
  ReferenceOptimizer(const OptimizerOptions& options, std::size_t size)
      : options_(options),
        first_(size),
        second_(size),
        decay_(options.weight_decay.value_or(options.kind == OptimizerKind::adamw ? 0.01 : 0)) {}

  void step(std::vector<double>& parameters, const std::vector<double>& gradients, double learning_rate) {
    ++steps_;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      update(parameters[i], gradients[i], first_[i], second_[i], learning_rate);
  }

 private:
  void update(double& theta, double g, double& first, double& second, double rate) const {
    if (options_.kind == OptimizerKind::adamw) {
      theta -= rate * decay_ * theta;
    } else {
      g += decay_ * theta;
    }
    switch (options_.kind) {
      case OptimizerKind::adam:
      case OptimizerKind::adamw: {
        first = options_.beta1 * first + (1 - options_.beta1) * g;
        second = options_.beta2 * second + (1 - options_.beta2) * g * g;
        const double m = first / (1 - std::pow(options_.beta1, steps_));
        const double v = second / (1 - std::pow(options_.beta2, steps_));
        theta -= rate * m / (std::sqrt(v) + options_.eps);
        break;
      }
      case OptimizerKind::sgd:
        first = steps_ == 1 ? g : options_.momentum * first + g;
        if (options_.momentum != 0) g = options_.nesterov ? g + options_.momentum * first : first;
        theta -= rate * g;
        break;
      case OptimizerKind::rmsprop:
        second = options_.alpha * second + (1 - options_.alpha) * g * g;
        g /= std::sqrt(second) + options_.eps;
        first = options_.momentum * first + g;
        theta -= rate * first;
        break;
    }
  }

  OptimizerOptions options_;
  std::vector<double> first_;
  std::vector<double> second_;
  double decay_;
  int steps_ = 0;
};

}  // namespace rune::test
