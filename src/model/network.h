#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/matrix.h"
#include "base/random.h"
#include "base/thread_team.h"
#include "kernels/kernels.h"
#include "model/parameters.h"
#include "rune/options.h"
#include "text/batcher.h"

namespace rune::model {

/// Cross-entropies summed, in nats, and how many characters were counted.
struct Loss {
  double sum = 0;
  std::int64_t characters = 0;
  [[nodiscard]] double mean() const { return characters == 0 ? 0 : sum / static_cast<double>(characters); }
};

/// Hidden (and cell) state of B streams in every layer. Owned by the caller. Rows are padded to a multiple of 16 units,
/// padding zero.
class State {
 public:
  State(const ModelOptions& options, int batch_size);

  [[nodiscard]] int batch_size() const { return batch_size_; }
  void zero();

  /// PyTorch's form, (layers, B, H) without padding: for checkpoints and tests. `cells` is empty unless the cell is an
  /// LSTM.
  [[nodiscard]] std::vector<float> hidden_values() const;
  [[nodiscard]] std::vector<float> cell_values() const;
  void set(std::span<const float> hidden, std::span<const float> cells);
  /// Copies stream `from` of another state to stream `to` of this one.
  void copy_stream(const State& other, int from, int to);

  std::vector<Matrix> hidden;  // per layer (B, Hp)
  std::vector<Matrix> cell;    // per layer (B, Hp); LSTM only

 private:
  friend class Network;
  // Scratch of Network::step, made at the first one.
  Matrix step_gates_;                // (B, slots*Hp)
  Matrix step_inner_;                // (B, Hp), where the cell has an inner stage
  std::vector<Matrix> step_hidden_;  // per layer (B, Hp): h of the next step
  Matrix step_logits_;               // (B, Vp)

  int batch_size_;
  int hidden_size_;
};

class Workspace;

/// A character-level recurrent language model: input (one-hot or embedding), recurrent layers, dropout, projection,
/// softmax cross-entropy, each with a hand-written forward and backward. Const functions are thread-safe as long as
/// each caller has its own State and Workspace. A result never depends on the number of threads or on what else is in
/// the batch.
class Network {
 public:
  /// Validates the options; takes the parameters' values as they are and packs them for these kernels.
  Network(const ModelOptions& options, int vocabulary_size, Parameters parameters, Purpose purpose = Purpose::training,
          const kernels::Kernels& kernels = kernels::kernels());
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  [[nodiscard]] const ModelOptions& options() const;
  [[nodiscard]] int vocabulary_size() const;
  [[nodiscard]] const Parameters& parameters() const;
  [[nodiscard]] const kernels::Kernels& kernels() const;
  /// Packs the parameters for other kernels, which do all products from now on, or for more. Training needs a new
  /// workspace then.
  void use(const kernels::Kernels& kernels, Purpose purpose = Purpose::inference);
  /// After writing to the parameters, call pack() before the network is used again.
  [[nodiscard]] Parameters& mutable_parameters();
  /// `with_table` false: without the table that step() looks embedded characters up in; it is then slower, the results
  /// are the same. It is as much work as a training step on few characters.
  void pack(ThreadTeam& team, bool with_table = true);

  /// Evaluation mode. The state is carried from before the block to after it. Each target's loss is left in
  /// workspace.losses().
  Loss evaluate(const text::TokenBlock& block, State& state, Workspace& workspace, ThreadTeam& team) const;

  /// Training mode: loss, and the gradients of the mean (or sum) of the losses of the block's counted targets,
  /// overwriting `gradients`. Truncated BPTT: the state is carried without gradient. `dropout_step` keys the masks
  /// together with `seed`. Throws InputError if the network is packed for inference alone.
  Loss gradients(const text::TokenBlock& block, State& state, std::uint64_t seed, std::uint64_t dropout_step,
                 Workspace& workspace, Parameters& gradients, ThreadTeam& team,
                 Reduction reduction = Reduction::mean) const;

  /// One character for each stream of the state: tokens (B) -> logits (B, vocabulary_size). A team shares every layer's
  /// units, which pays where the weights are many.
  void step(std::span<const std::int32_t> tokens, State& state, Matrix& logits, ThreadTeam* team = nullptr) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Everything that a block of T x B characters needs, sized once: a training step or an evaluation allocates nothing.
/// Any block with sequence_length <= T and the same batch size fits.
class Workspace {
 public:
  enum class Mode { evaluation, training };
  Workspace(const Network& network, int sequence_length, int batch_size, Mode mode);
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  /// (T, B) cross-entropy of each target of the last block, in nats; 0 where the target is not counted.
  [[nodiscard]] std::span<const float> losses() const;

 private:
  friend class Network;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The dropout masks of a training step, for tests: multipliers 0 or 1/(1-p) with p to 1/65536, (T*B, H). Layer k <
/// layers-1: after recurrent layer k; k = layers-1: before the projection.
std::vector<float> dropout_multipliers(const ModelOptions& options, int layer, int steps, int batch_size,
                                       std::uint64_t seed, std::uint64_t dropout_step);
/// The same for what weight-drop leaves of a layer's recurrent matrix: (G*H, H).
std::vector<float> weight_drop_multipliers(const ModelOptions& options, int layer, std::uint64_t seed,
                                           std::uint64_t dropout_step);

}  // namespace rune::model
