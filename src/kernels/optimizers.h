#pragma once

#include <cstddef>

/// Elementwise optimiser updates over one stretch of the parameter arena, by PyTorch's formulas. `gradient_scale` is
/// the clipping factor, applied to each gradient first. Scalars are computed in double and given as float.
namespace rune::kernels {

/// Adam (arXiv 1412.6980) and AdamW (arXiv 1711.05101), in the order of the end of the paper's section 2: what
/// corrects the second moment's bias, c = sqrt(1 - beta2^t), stands in the step and in eps: a division less a value.
struct AdamUpdate {
  float gradient_scale = 1;
  float weight_decay = 0;     // coupled: gradient += weight_decay * parameter
  float parameter_scale = 1;  // decoupled (AdamW): parameter *= 1 - lr * weight_decay before the update
  float beta1 = 0.9F;
  float one_minus_beta1 = 0.1F;
  float beta2 = 0.999F;
  float one_minus_beta2 = 0.001F;
  float step_size = 0;  // lr * c / (1 - beta1^t)
  float eps = 1e-8F;    // PyTorch's, times c
};

/// SGD with momentum and Nesterov. On the first step the momentum buffer becomes the gradient itself.
struct SgdUpdate {
  float gradient_scale = 1;
  float weight_decay = 0;
  float momentum = 0;
  bool nesterov = false;
  bool first_step = false;
  float learning_rate = 0;
};

/// RMSprop (Hinton's lecture 6e), not centred.
struct RmspropUpdate {
  float gradient_scale = 1;
  float weight_decay = 0;
  float alpha = 0.99F;
  float one_minus_alpha = 0.01F;
  float eps = 1e-8F;
  float momentum = 0;
  float learning_rate = 0;
};

}  // namespace rune::kernels
