#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/parameters.h"
#include "rune/options.h"
#include "text/batcher.h"

namespace rune::test {

/// Tensors by PyTorch's names, row-major in PyTorch's shapes.
using Tensors = std::map<std::string, std::vector<double>>;

Tensors to_double(const model::Parameters& parameters);

/// PyTorch's form, (layers, B, H). `cell` is empty unless the cell is an LSTM.
struct ReferenceState {
  std::vector<double> hidden;
  std::vector<double> cell;
};

/// What one layer did with one character of one stream.
struct ReferenceStep {
  std::vector<double> input;        // x
  std::vector<double> input_part;   // W_ih x + b_ih (G*H); loop_concat: + W_uh h_before
  std::vector<double> inner;        // u (H); loop cells only
  std::vector<double> hidden_part;  // W_hh h_before + b_hh (G*H); loop cells: W_hh u + b_hh; mingru: none
  std::vector<double> hidden;       // h (H), before dropout
  std::vector<double> cell;         // c (H); LSTM only
};

struct ReferenceResult {
  std::vector<double> logits;  // (T, B, V)
  std::vector<double> losses;  // (T, B), nats; 0 where the target is not counted
  double loss = 0;             // mean over the counted targets
  ReferenceState state;        // after the block

  // Kept for the backward pass.
  ReferenceState initial;
  std::vector<std::vector<ReferenceStep>> steps;  // per layer (T*B)
  std::vector<std::vector<double>> features;      // (T*B): what the projection saw (H)
};

/// The whole model once more, in double precision and by the book: every product an explicit sum, one-hot input a
/// vector of zeros and a one, nothing fused. Shares no code with the kernels or the network; the oracle for both.
class ReferenceNetwork {
 public:
  ReferenceNetwork(const ModelOptions& options, int vocabulary_size, Tensors parameters);

  [[nodiscard]] const Tensors& parameters() const { return parameters_; }
  [[nodiscard]] Tensors& parameters() { return parameters_; }
  /// From now on forward and backward see the named parameters times these multipliers, as weight-drop has it; the
  /// gradients stay those of the parameters.
  void drop_weights(Tensors multipliers) { multipliers_ = std::move(multipliers); }
  [[nodiscard]] ReferenceState zero_state(int batch_size) const;

  /// `dropout`: empty, or for each layer multipliers (T*B, H) of its output, the last layer's before the projection.
  [[nodiscard]] ReferenceResult forward(const text::TokenBlock& block, const ReferenceState& state,
                                        const std::vector<std::vector<double>>& dropout = {}) const;

  /// Gradients of the mean loss with respect to every parameter. Truncated BPTT: none flows into the initial state.
  [[nodiscard]] Tensors backward(const text::TokenBlock& block, const ReferenceResult& result,
                                 const std::vector<std::vector<double>>& dropout = {}) const;

 private:
  void multiply(Tensors& tensors) const;
  [[nodiscard]] ReferenceNetwork with_dropped_weights() const;
  [[nodiscard]] const std::vector<double>& layer_tensor(const std::string& kind, int layer) const;
  [[nodiscard]] std::vector<double> input_of(int token) const;
  [[nodiscard]] ReferenceStep step(int layer, std::vector<double> input, const std::vector<double>& hidden_before,
                                   const std::vector<double>& cell_before) const;

  ModelOptions options_;
  int vocabulary_size_;
  Tensors parameters_;
  Tensors multipliers_;  // of some of them
};

}  // namespace rune::test
