#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/matrix.h"
#include "kernels/kernels.h"
#include "kernels/packed.h"
#include "model/parameters.h"
#include "model/recurrent_layer.h"

namespace rune::model {

/// Projection to logits, softmax and cross-entropy. Logits have V rounded up to 16 columns; the padding's bias is so
/// negative that its probability is exactly 0.
class Projection {
 public:
  Projection(const ModelOptions& options, std::size_t vocabulary_size, Purpose purpose,
             const kernels::Kernels& kernels);

  /// Packs this thread's share of the weights.
  void pack(const Parameters& parameters, int thread, int threads);

  [[nodiscard]] std::size_t padded_size() const { return padded_; }

  /// Losses of some steps from step `first` on, for one thread's streams. `top`: the last layer; `targets` and `losses`
  /// (T,B) of the whole block; `logits` (steps*B, Vp), whose first row is of step `first`.
  ///   1. logits = bias + hidden * W, for several steps at once
  ///   2. loss; with scale != 0 the logits become scale * (softmax - one_hot)
  ///   3. with d_hidden (T*B, Hp): d_hidden = dlogits * W^T, and the mask of the last layer's dropout
  void loss(const LayerActivations& top, const std::int32_t* targets, std::size_t first, Range steps, float scale,
            Matrix& logits, std::span<float> losses, Matrix* d_hidden, const DropoutMask& dropout,
            const Share& share) const;

  /// This thread's share of the weight gradients, from dlogits of `rows` rows; `add`: to those of earlier steps.
  void accumulate_gradients(const Matrix& d_logits, const float* hidden, std::size_t rows, bool add,
                            Parameters& gradients, float* scratch, int thread, int threads) const;

  /// This thread's columns of logits (B, Vp), of hidden (B, Hp).
  void logits(const Matrix& hidden, Matrix& logits, int thread, int threads) const;

 private:
  [[nodiscard]] kernels::Product forward_product(const kernels::Rows<const float>& hidden,
                                                 const kernels::Rows<float>& logits, std::size_t rows) const;

  const kernels::Kernels* kernels_;
  std::size_t hidden_;              // H
  std::size_t vocabulary_size_;     // V
  std::size_t padded_;              // Vp
  std::vector<std::int32_t> rows_;  // 0, 1, .., V-1
  std::vector<kernels::OuterBlock> blocks_;
  kernels::PackedMatrix forward_;   // (H, Vp)
  kernels::PackedMatrix backward_;  // (V, Hp); for training
  Matrix bias_;                     // (1, Vp)
};

}  // namespace rune::model
