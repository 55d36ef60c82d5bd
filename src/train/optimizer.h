#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rune/options.h>

#include "base/thread_team.h"
#include "format/safetensors.h"
#include "model/parameters.h"

namespace rune::train {

/// Adam, AdamW, SGD or RMSprop with PyTorch's formulas, and the moments they keep.
///
/// All work is split over the arena by threads; every element's result, and the norm, is the same for any number of
/// threads. step() and norm() allocate nothing. Owns its moments; not thread-safe.
class Optimizer {
 public:
  /// Moments of zero for parameters laid out like `like`. The options are those that validate(TrainOptions) accepts.
  Optimizer(const OptimizerOptions& options, const model::Parameters& like);

  /// One update. `gradient_scale` multiplies every gradient first (clipping).
  void step(model::Parameters& parameters, const model::Parameters& gradients, double learning_rate,
            double gradient_scale, ThreadTeam& team);
  /// Euclidean norm of all parameters (or gradients) together. Infinite or NaN exactly if one of them is.
  double norm(const model::Parameters& parameters, ThreadTeam& team);
  /// Whether all moments are finite.
  bool finite(ThreadTeam& team);

  /// Number of updates made.
  [[nodiscard]] std::int64_t steps() const { return steps_; }

  /// The moments as `optimizer.<PyTorch's name>.<tensor>`, borrowed: optimizer.exp_avg.fc.weight.
  [[nodiscard]] std::vector<format::TensorView> tensors() const;
  /// Takes over the moments of a file and its number of updates. Throws InputError if one is missing, not finite, of
  /// another shape, a negative mean of squares, or not of this optimiser.
  void restore(const format::SafetensorsFile& file, std::int64_t steps);

 private:
  struct Moment {
    std::string name;
    model::Parameters values;
  };

  OptimizerOptions options_;
  double weight_decay_;
  std::vector<Moment>
      moments_;  // adam, adamw: exp_avg, exp_avg_sq; sgd: [momentum_buffer]; rmsprop: square_avg, [momentum_buffer]
  std::vector<double> block_sums_;  // of norm
  std::int64_t steps_ = 0;
};

/// The factor that clips gradients of this norm, as torch.nn.utils.clip_grad_norm_; 1 if `clip_norm` is 0.
double clip_factor(double gradient_norm, double clip_norm);

}  // namespace rune::train
