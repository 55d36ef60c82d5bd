#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/matrix.h"
#include "base/thread_team.h"
#include "kernels/kernels.h"
#include "kernels/packed.h"
#include "model/cell.h"
#include "model/dropout.h"
#include "model/parameters.h"

namespace rune::model {

/// A thread's share of a block: streams [begin, end) of B, through all T steps. Row (t, b) of every array is
/// t * batch_size + b. Of fewer streams than threads every thread takes all, and of their units some: then `team` is
/// set, and the threads meet at every step.
struct Share {
  std::size_t batch_size = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  Range units;  // blocks of 16
  ThreadTeam* team = nullptr;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  /// Its units, as columns of the states.
  [[nodiscard]] Range columns() const { return {units.begin * kernels::kPanel, units.end * kernels::kPanel}; }
  /// Steps that together give a product enough rows to be efficient.
  [[nodiscard]] std::size_t steps_at_once() const { return size() >= 48 ? 1 : (48 + size() - 1) / size(); }
  /// This thread's rows of the steps from `step` on, in an array of so many columns.
  [[nodiscard]] kernels::Rows<float> rows(Matrix& m, std::size_t step) const {
    return {m.row(step * batch_size + begin), m.cols(), size(), batch_size * m.cols()};
  }
  [[nodiscard]] kernels::Rows<const float> rows(const Matrix& m, std::size_t step) const {
    return {m.row(step * batch_size + begin), m.cols(), size(), batch_size * m.cols()};
  }
  /// After this all units of the streams are there.
  void meet() const {
    if (team != nullptr) team->barrier();
  }
};

/// Weight-drop (Merity et al., arXiv 1708.02182): a recurrent matrix for one training step, some of its weights zero,
/// the others scaled. Empty without.
struct DroppedWeights {
  DropoutMask mask;
  Matrix weights;                           // (G*H, Hp), in PyTorch's order
  kernels::PackedMatrix forward, backward;  // as a layer's own
};

/// What one layer keeps of a block for its backward pass. Rows of Hp = H rounded up to 16 units; padding units stay
/// zero.
struct LayerActivations {
  /// (T*B, slots*Hp), unit blocks of slots x 16, and a few columns that nobody uses between the rows; backward turns
  /// them into gradients of the pre-activations.
  Matrix gates;
  Matrix hidden;   // ((T+1)*B, Hp); rows of step t are the state *before* it
  Matrix cell;     // ((T+1)*B, Hp), LSTM only
  Matrix inner;    // (T*B, Hp): u, where the cell has an inner stage
  Matrix dropped;  // ((T+1)*B, Hp): hidden after dropout, where there is any
  DroppedWeights dropped_weights;

  LayerActivations(const ModelOptions& options, const kernels::Kernels& kernels, std::size_t steps,
                   std::size_t batch_size, bool with_weight_drop, bool with_dropout);

  /// What the layer above sees: row (t+1, b) is the output of step t.
  [[nodiscard]] const Matrix& output() const { return dropped.rows() > 0 ? dropped : hidden; }
};

/// What the first layer reads: rows of a table of pre-activations, bias included, and which of them each (t, b) takes.
/// One-hot: the layer's own table, whose rows are those of W_ih, by token. Embedding: a table of the characters of the
/// block alone, E * W_ih.
struct InputRows {
  const Matrix* table = nullptr;
  const std::int32_t* rows = nullptr;  // (T,B)
};

/// The characters that occur in a block, for an embedding: with few streams they are far fewer than the alphabet, and
/// what they cost is the largest part of a step.
struct BlockCharacters {
  std::vector<std::int32_t> distinct;  // tokens, ascending
  std::vector<std::int32_t> rows;      // (T,B): where the token of a place stands in `distinct`
  Matrix embedded;                     // (D, E): their rows of the embedding
  Matrix table;                        // (D, slots*Hp)

  BlockCharacters() = default;
  BlockCharacters(std::size_t vocabulary_size, std::size_t places, std::size_t embedding, std::size_t gate_columns);
  /// Lists the characters of a block of at most so many places.
  void list(std::span<const std::int32_t> tokens);

 private:
  std::vector<std::int32_t> row_of_;  // by token
};

/// One recurrent layer of any cell: owns time and the large products; the cell is a row of kCells and its pointwise
/// kernels.
class RecurrentLayer {
 public:
  RecurrentLayer(const ModelOptions& options, int index, std::size_t vocabulary_size, Purpose purpose,
                 const kernels::Kernels& kernels);

  /// Packs this thread's share of the weights; `with_table`: and of the table that step() looks embedded characters up
  /// in, which it otherwise does without.
  void pack(const Parameters& parameters, bool with_table, int thread, int threads);
  /// First layer with an embedding: this thread's share of the table of a block's characters.
  void fill_table(BlockCharacters& characters, int thread, int threads) const;
  /// First layer with one-hot input.
  [[nodiscard]] const Matrix& table() const { return table_; }

  /// This thread's share of the recurrent weights of one training step, by the mask that stands in activations. The
  /// team must pass a barrier before they are used.
  void drop_weights(const Parameters& parameters, LayerActivations& activations, int thread, ThreadTeam& team) const;

  /// Forward through `steps` steps, for one thread's share.
  ///   1. gates = table rows of the characters, or bias + x * W_ih for several steps at once
  ///   2. step by step: gates += h' * W_hh, then the pointwise part (an inner stage first, then u in place of h')
  ///   3. dropout of its output, where `dropout` is active
  /// `input` for the first layer, `below` for the others.
  void forward(const InputRows& input, const LayerActivations* below, LayerActivations& activations,
               const DropoutMask& dropout, std::size_t steps, const Share& share) const;

  /// Backward through all steps. `d_hidden` (T*B, Hp): gradient from above, used up. `d_cell` (B, Hp): scratch.
  ///   1. step by step, from the last: the pointwise part; d_hidden of the step before += dgates * W_hh (or of u, then
  ///      the inner stage)
  ///   2. d_input = dgates * W_ih, for several steps at once, and the mask of the layer below (not in the first layer)
  void backward(LayerActivations& activations, Matrix& d_hidden, Matrix& d_cell, Matrix* d_input,
                const DropoutMask& input_dropout, std::size_t steps, const Share& share) const;

  /// This thread's share of the weight gradients, by unit blocks; overwrites them. Backward must be over everywhere.
  /// First layer: `d_table` collects dgates by row of the input's table; with one-hot input that is W_ih's gradient.
  void accumulate_gradients(const LayerActivations& activations, const InputRows& input, const LayerActivations* below,
                            std::size_t steps, std::size_t batch_size, Parameters& gradients, Matrix& d_table,
                            float* scratch, int thread, int threads) const;

  /// First layer with an embedding, after accumulate_gradients on every thread: this thread's share of the gradients of
  /// W_ih and of the embedding. `d_embedding` (D, Ep): scratch.
  void embedding_gradients(const Matrix& d_table, const BlockCharacters& characters, Matrix& d_embedding,
                           Parameters& gradients, float* scratch, int thread, int threads) const;

  /// One step for the rows of a state, of which this thread of the team (none: the only one) takes its units' part:
  /// `cell` is updated, `next_hidden` written; gates (B, gate_stride()) and inner are scratch. The team must pass a
  /// barrier before anybody reads next_hidden. The first layer reads tokens, the others `input`.
  void step(const Parameters& parameters, const std::int32_t* tokens, const Matrix* input, Matrix& gates, Matrix& inner,
            const Matrix& hidden, Matrix* cell, Matrix& next_hidden, int thread, ThreadTeam* team) const;

  [[nodiscard]] bool has_embedding() const { return first() && embedding_; }
  [[nodiscard]] std::size_t unit_blocks() const { return unit_blocks_; }
  [[nodiscard]] std::size_t gate_stride() const;

 private:
  [[nodiscard]] bool first() const { return index_ == 0; }
  [[nodiscard]] bool has_inner() const { return traits_->inner != Inner::none; }
  [[nodiscard]] std::size_t unit_columns() const { return traits_->slots * kernels::kPanel; }  // gates of a unit block
  [[nodiscard]] std::size_t gate_columns() const { return traits_->slots * padded_; }
  [[nodiscard]] Range all_units() const { return {0, unit_blocks_}; }
  void fill_bias(const kernels::Rows<float>& gates, std::size_t rows, Range units) const;
  /// table = bias + embedded * W_ih, for some units. embedded: (rows, E).
  void fill_table(const float* embedded, Matrix& table, std::size_t rows, Range units) const;
  /// A product into the gates of all units, for some of them.
  [[nodiscard]] kernels::Product of_units(kernels::Product product, Range units) const;
  /// A product into a state of all units, for some of them.
  [[nodiscard]] static kernels::Product to_units(kernels::Product product, Range units);
  /// gates += in * W, into the gates' slots from `first_slot` on.
  [[nodiscard]] kernels::Product forward_product(const kernels::Rows<const float>& in,
                                                 const kernels::PackedMatrix& weights, std::size_t first_slot,
                                                 const kernels::Rows<float>& gates, std::size_t rows) const;
  [[nodiscard]] kernels::Product input_product(const kernels::Rows<const float>& input,
                                               const kernels::Rows<float>& gates, std::size_t rows) const;
  /// The stages of one step, whose gates have the input product, for some units: the inner one makes u, the outer one
  /// needs the u (or h') of all units and makes h.
  void run_inner(const kernels::CellForward& step, float* inner, Range units) const;
  void run_outer(const kernels::CellForward& step, const float* inner, const kernels::PackedMatrix& hidden_weights,
                 Range units) const;
  void run_stage(const kernels::StageKernels& stage, const kernels::Product& product, kernels::CellForward step,
                 Range units) const;
  void run_backward(const kernels::StageKernels& stage, kernels::CellBackward step, Range units) const;
  /// dgates * W, with the gates' slots from `first_slot` on as depth.
  [[nodiscard]] kernels::Product backward_product(const kernels::Rows<const float>& gates, std::size_t first_slot,
                                                  const kernels::PackedMatrix& weights, const kernels::Rows<float>& out,
                                                  std::size_t rows, kernels::Start start) const;

  const kernels::Kernels* kernels_;
  const CellTraits* traits_;
  const kernels::CellKernels* cell_;
  std::size_t index_;
  std::size_t hidden_;           // H
  std::size_t padded_;           // Hp
  std::size_t unit_blocks_;      // Hp / 16
  std::size_t input_size_;       // K: of the layer below, of the embedding, or V for one-hot input
  std::size_t vocabulary_size_;  // V
  bool embedding_;

  // Indices into Parameters::tensors(). weight_uh_: Inner::product alone; _hh_: with a recurrent product.
  std::size_t weight_ih_, weight_uh_, weight_hh_, bias_ih_, bias_hh_;

  // PyTorch's row of a weight for each packed gate column (product_slots * Hp of them), -1 for padding units.
  std::vector<std::int32_t> input_rows_, hidden_rows_;
  std::vector<kernels::OuterBlock> input_blocks_, hidden_blocks_;

  kernels::PackedMatrix input_forward_, hidden_forward_;    // W^T: (K, gate columns), (H, gate columns)
  kernels::PackedMatrix input_backward_, hidden_backward_;  // for training, W: (gate columns, K), (gate columns, H)
  kernels::PackedMatrix inner_forward_, inner_backward_;    // as hidden's, W_uh where the input product goes
  Matrix bias_;                                             // (1, slots*Hp): b_ih and b_hh where their products go
  Matrix table_;                                            // first layer: (V, slots*Hp), bias included
  bool has_table_ = false;  // whether it belongs to the packed weights; written by thread 0
};

}  // namespace rune::model
