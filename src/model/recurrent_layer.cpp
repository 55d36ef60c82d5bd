#include "model/recurrent_layer.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace rune::model {

using kernels::CellBackward;
using kernels::CellForward;
using kernels::kPanel;
using kernels::OuterBlock;
using kernels::PackedMatrix;
using kernels::PanelColumns;
using kernels::plain_rows;
using kernels::Product;
using kernels::Rows;
using kernels::Start;

namespace {

constexpr std::size_t kEmbeddingTensor = 0;  // index into Parameters::tensors()

std::size_t panels_of(std::size_t columns) { return (columns + kPanel - 1) / kPanel; }

/// Floats between the rows of a matrix of so many columns, a multiple of 16: an odd number of cache lines, so that one
/// column of neighbouring rows is spread over all sets of a cache (8 % of a training step of system A, where rows of
/// 8 KiB shared one set of the first-level cache).
std::size_t spread_stride(std::size_t columns) { return columns | kPanel; }

/// Packs this thread's share of a matrix, whose rows lie `stride` floats apart: for the forward product the panels
/// given, for the backward product a part of all columns.
void pack_both(const float* weights, std::size_t stride, const std::vector<std::int32_t>& rows, Range forward_panels,
               PackedMatrix& forward, PackedMatrix& backward, int thread, int threads) {
  forward.pack_transposed(weights, stride, rows, forward_panels.begin, forward_panels.end);
  const Range panels = share_of(backward.panels(), thread, threads);
  backward.pack_rows(weights, stride, rows, panels.begin, panels.end);
}

/// Those of some blocks of units, each of which has one for every gate.
std::span<const OuterBlock> blocks_of(std::span<const OuterBlock> all, Range units, std::size_t gates) {
  return all.subspan(units.begin * gates, (units.end - units.begin) * gates);
}

}  // namespace

LayerActivations::LayerActivations(const ModelOptions& options, const kernels::Kernels& kernels, std::size_t steps,
                                   std::size_t batch_size, bool with_weight_drop, bool with_dropout) {
  const CellTraits& traits = traits_of(options.cell);
  const std::size_t padded = round_up(static_cast<std::size_t>(options.hidden_size), kPanel);
  const std::size_t rows = (steps + 1) * batch_size;
  gates = Matrix(steps * batch_size, spread_stride(traits.slots * padded));
  hidden = Matrix(rows, padded);
  if (traits.has_cell_state) cell = Matrix(rows, padded);
  if (traits.inner != Inner::none) inner = Matrix(steps * batch_size, padded);
  if (with_dropout) dropped = Matrix(rows, padded);
  if (with_weight_drop) {
    const auto hidden_size = static_cast<std::size_t>(options.hidden_size);
    dropped_weights.weights = Matrix(traits.gates * hidden_size, padded);
    dropped_weights.forward = PackedMatrix(kernels, hidden_size, traits.gates * padded / kPanel);
    dropped_weights.backward = PackedMatrix(kernels, traits.gates * padded, padded / kPanel);
  }
}

RecurrentLayer::RecurrentLayer(const ModelOptions& options, int index, std::size_t vocabulary_size, Purpose purpose,
                               const kernels::Kernels& kernels)
    : kernels_(&kernels),
      traits_(&traits_of(options.cell)),
      cell_(&kernels_->cells[static_cast<std::size_t>(kernel_of(options))]),
      index_(static_cast<std::size_t>(index)),
      hidden_(static_cast<std::size_t>(options.hidden_size)),
      padded_(round_up(hidden_, kPanel)),
      unit_blocks_(padded_ / kPanel),
      input_size_(index > 0               ? hidden_
                  : options.embedding > 0 ? static_cast<std::size_t>(options.embedding)
                                          : vocabulary_size),
      vocabulary_size_(vocabulary_size),
      embedding_(options.embedding > 0),
      bias_(1, gate_columns()) {
  // An embedding stands in front of the layers' tensors.
  const auto kinds = layer_tensors(options.cell);
  const auto tensor = [&](std::string_view kind) {
    return (embedding_ ? 1 : 0) + index_ * kinds.size() +
           static_cast<std::size_t>(std::ranges::find(kinds, kind) - kinds.begin());
  };
  weight_ih_ = tensor("weight_ih");
  weight_uh_ = tensor("weight_uh");
  weight_hh_ = tensor("weight_hh");
  bias_ih_ = tensor("bias_ih");
  bias_hh_ = tensor("bias_hh");

  const std::size_t gates = traits_->gates;
  for (std::size_t u = 0; u < unit_blocks_; ++u) {
    const std::size_t real = std::min(hidden_ - u * kPanel, kPanel);
    for (std::size_t g = 0; g < gates; ++g) {
      const std::size_t input_row = static_cast<std::size_t>(traits_->input_gates[g]) * hidden_ + u * kPanel;
      const std::size_t hidden_row = static_cast<std::size_t>(traits_->hidden_gates[g]) * hidden_ + u * kPanel;
      const std::size_t column = u * traits_->slots * kPanel + g * kPanel;
      const auto push = [&](std::size_t first_slot, std::size_t row, std::vector<OuterBlock>& blocks,
                            std::vector<std::int32_t>& rows) {
        blocks.push_back({column + first_slot * kPanel, row, real});
        for (std::size_t j = 0; j < kPanel; ++j) rows.push_back(j < real ? static_cast<std::int32_t>(row + j) : -1);
      };
      push(traits_->input_first, input_row, input_blocks_, input_rows_);
      if (traits_->recurrent) push(traits_->hidden_first, hidden_row, hidden_blocks_, hidden_rows_);
    }
  }
  const std::size_t product_columns = gates * padded_;
  const auto make = [&](std::size_t columns, PackedMatrix& forward, PackedMatrix& backward) {
    forward = PackedMatrix(kernels, columns, product_columns / kPanel);
    if (purpose == Purpose::training) backward = PackedMatrix(kernels, product_columns, panels_of(columns));
  };
  if (traits_->recurrent) make(hidden_, hidden_forward_, hidden_backward_);
  if (traits_->inner == Inner::product) make(hidden_, inner_forward_, inner_backward_);
  if (!first() || embedding_) make(input_size_, input_forward_, input_backward_);
  if (first()) table_ = Matrix(vocabulary_size_, gate_columns());
}

BlockCharacters::BlockCharacters(std::size_t vocabulary_size, std::size_t places, std::size_t embedding,
                                 std::size_t gate_columns)
    : embedded(std::min(vocabulary_size, places), embedding),
      table(std::min(vocabulary_size, places), gate_columns),
      row_of_(vocabulary_size) {
  distinct.reserve(embedded.rows());
  rows.reserve(places);
}

void BlockCharacters::list(std::span<const std::int32_t> tokens) {
  constexpr std::int32_t kAbsent = -1;
  std::ranges::fill(row_of_, kAbsent);
  for (const std::int32_t token : tokens) row_of_[static_cast<std::size_t>(token)] = 0;
  distinct.clear();
  for (std::size_t token = 0; token < row_of_.size(); ++token) {
    if (row_of_[token] == kAbsent) continue;
    row_of_[token] = static_cast<std::int32_t>(distinct.size());
    distinct.push_back(static_cast<std::int32_t>(token));
  }
  rows.clear();
  for (const std::int32_t token : tokens) rows.push_back(row_of_[static_cast<std::size_t>(token)]);
}

std::size_t RecurrentLayer::gate_stride() const { return spread_stride(gate_columns()); }

void RecurrentLayer::pack(const Parameters& parameters, bool with_table, int thread, int threads) {
  const auto values = [&](std::size_t tensor) { return parameters.values(parameters.tensors()[tensor]).data(); };
  const std::size_t gates = traits_->gates;
  const Range units = share_of(unit_blocks_, thread, threads);
  const Range panels{units.begin * gates, units.end * gates};

  const auto pack_tensor = [&](std::size_t tensor, const std::vector<std::int32_t>& rows, PackedMatrix& forward,
                               PackedMatrix& backward) {
    if (forward.depth() == 0) return;  // no such product
    pack_both(values(tensor), forward.depth(), rows, panels, forward, backward, thread, threads);
  };
  pack_tensor(weight_hh_, hidden_rows_, hidden_forward_, hidden_backward_);
  pack_tensor(weight_uh_, input_rows_, inner_forward_, inner_backward_);
  pack_tensor(weight_ih_, input_rows_, input_forward_, input_backward_);

  // Only what this thread owns of bias and table: the columns of its units.
  const auto mine = [&](const std::vector<OuterBlock>& all) { return blocks_of(all, units, gates); };
  const std::size_t from = units.begin * unit_columns();
  const std::size_t to = units.end * unit_columns();
  std::fill(bias_.data() + from, bias_.data() + to, 0.0F);
  const auto add_bias = [&](std::size_t tensor, const std::vector<OuterBlock>& blocks) {
    const float* const added = values(tensor);
    for (const OuterBlock& block : mine(blocks))
      for (std::size_t j = 0; j < block.count; ++j) bias_.data()[block.d_column + j] += added[block.c_row + j];
  };
  add_bias(bias_ih_, input_blocks_);
  if (traits_->recurrent) add_bias(bias_hh_, hidden_blocks_);

  if (!first()) return;
  if (thread == 0) has_table_ = with_table || !embedding_;
  if (embedding_) {
    if (with_table) fill_table(values(kEmbeddingTensor), table_, vocabulary_size_, units);
  } else {
    for (std::size_t v = 0; v < vocabulary_size_; ++v)
      std::copy(bias_.data() + from, bias_.data() + to, table_.row(v) + from);
    // By blocks, so that each line of the table is written once: its rows fall into the same sets of the caches.
    for (const OuterBlock& block : mine(input_blocks_)) {
      const float* in = values(weight_ih_) + block.c_row * vocabulary_size_;
      for (std::size_t v = 0; v < vocabulary_size_; ++v) {
        float* const out = table_.row(v) + block.d_column;
        for (std::size_t j = 0; j < block.count; ++j) out[j] += in[j * vocabulary_size_ + v];
      }
    }
  }
}

void RecurrentLayer::drop_weights(const Parameters& parameters, LayerActivations& activations, int thread,
                                  ThreadTeam& team) const {
  DroppedWeights& dropped = activations.dropped_weights;
  const float* const whole = parameters.values(parameters.tensors()[weight_hh_]).data();
  const std::size_t gates = traits_->gates;
  const Range units = share_of(unit_blocks_, thread, team.size());
  const Range panels{units.begin * gates, units.end * gates};
  for (std::size_t i = panels.begin; i < panels.end; ++i) {
    const OuterBlock& block = hidden_blocks_[i];
    for (std::size_t row = block.c_row; row < block.c_row + block.count; ++row)
      std::copy_n(whole + row * hidden_, hidden_, dropped.weights.row(row));
    float* const rows = dropped.weights.row(block.c_row);
    dropped.mask.apply(rows, rows, block.c_row, block.count, padded_);
  }
  team.barrier();  // the backward product's panels have columns of all rows
  pack_both(dropped.weights.data(), padded_, hidden_rows_, panels, dropped.forward, dropped.backward, thread,
            team.size());
}

void RecurrentLayer::fill_table(const float* embedded, Matrix& table, std::size_t rows, Range units) const {
  const Rows<float> out = plain_rows(table.data(), table.cols());
  fill_bias(out, rows, units);
  kernels_->multiply(of_units(input_product(plain_rows(embedded, input_size_), out, rows), units));
}

void RecurrentLayer::fill_table(BlockCharacters& characters, int thread, int threads) const {
  fill_table(characters.embedded.data(), characters.table, characters.distinct.size(),
             share_of(unit_blocks_, thread, threads));
}

void RecurrentLayer::fill_bias(const Rows<float>& gates, std::size_t rows, Range units) const {
  const std::size_t from = units.begin * unit_columns();
  const std::size_t to = units.end * unit_columns();
  for (std::size_t i = 0; i < rows; ++i)
    std::copy(bias_.data() + from, bias_.data() + to,
              gates.data + i / gates.run * gates.run_stride + i % gates.run * gates.stride + from);
}

Product RecurrentLayer::of_units(Product product, Range units) const {
  product.b = product.b.from(units.begin * traits_->gates);
  product.panels = (units.end - units.begin) * traits_->gates;
  product.columns.first += units.begin * unit_columns();
  return product;
}

Product RecurrentLayer::to_units(Product product, Range units) {
  product.b = product.b.from(units.begin);
  product.panels = units.end - units.begin;
  product.columns.first += units.begin * kPanel;
  return product;
}

Product RecurrentLayer::forward_product(const Rows<const float>& in, const PackedMatrix& weights,
                                        std::size_t first_slot, const Rows<float>& gates, std::size_t rows) const {
  return {.a = in,
          .rows = rows,
          .group_depth = weights.depth(),
          .b = weights.from(0),
          .panels = weights.panels(),
          .c = gates,
          .columns = PanelColumns{traits_->gates, traits_->slots * kPanel, first_slot * kPanel},
          .start = Start::add};
}

Product RecurrentLayer::input_product(const Rows<const float>& input, const Rows<float>& gates,
                                      std::size_t rows) const {
  return forward_product(input, input_forward_, traits_->input_first, gates, rows);
}

void RecurrentLayer::run_stage(const kernels::StageKernels& stage, const Product& product, CellForward step,
                               Range units) const {
  step.gates += units.begin * unit_columns();
  step.hidden += units.begin * kPanel;
  step.previous_hidden += units.begin * kPanel;
  if (step.cell != nullptr) {
    step.previous_cell += units.begin * kPanel;
    step.cell += units.begin * kPanel;
  }
  stage.step(of_units(product, units), step, units.end - units.begin);
}

void RecurrentLayer::run_backward(const kernels::StageKernels& stage, CellBackward step, Range units) const {
  step.gates += units.begin * unit_columns();
  step.previous_hidden += units.begin * kPanel;
  step.hidden += units.begin * kPanel;
  step.d_hidden += units.begin * kPanel;
  if (step.d_previous_hidden != nullptr) step.d_previous_hidden += units.begin * kPanel;
  if (step.cell != nullptr) {
    step.previous_cell += units.begin * kPanel;
    step.cell += units.begin * kPanel;
    step.d_cell += units.begin * kPanel;
  }
  stage.backward(step, units.end - units.begin);
}

void RecurrentLayer::run_inner(const CellForward& step, float* inner, Range units) const {
  CellForward to_inner = step;
  to_inner.hidden = inner;
  run_stage(cell_->inner,
            forward_product(plain_rows(step.previous_hidden, padded_), inner_forward_, traits_->input_first,
                            plain_rows(step.gates, step.gates_stride), step.rows),
            to_inner, units);
}

void RecurrentLayer::run_outer(const CellForward& step, const float* inner, const PackedMatrix& hidden_weights,
                               Range units) const {
  run_stage(cell_->outer,
            forward_product(plain_rows(has_inner() ? inner : step.previous_hidden, padded_), hidden_weights,
                            traits_->hidden_first, plain_rows(step.gates, step.gates_stride), step.rows),
            step, units);
}

Product RecurrentLayer::backward_product(const Rows<const float>& gates, std::size_t first_slot,
                                         const PackedMatrix& weights, const Rows<float>& out, std::size_t rows,
                                         Start start) const {
  const bool contiguous = traits_->gates == traits_->slots;
  Product product{.a = gates,
                  .rows = rows,
                  .group_depth = contiguous ? gate_columns() : traits_->gates * kPanel,
                  .groups = contiguous ? 1 : unit_blocks_,
                  .group_stride = traits_->slots * kPanel,
                  .b = weights.from(0),
                  .panels = weights.panels(),
                  .c = out,
                  .columns = {},
                  .start = start};
  product.a.data += first_slot * kPanel;
  return product;
}

void RecurrentLayer::forward(const InputRows& input, const LayerActivations* below, LayerActivations& activations,
                             const DropoutMask& dropout, std::size_t steps, const Share& share) const {
  const std::size_t n = share.size();
  const std::size_t at_once = first() ? 1 : share.steps_at_once();
  const DroppedWeights& dropped = activations.dropped_weights;
  const PackedMatrix& hidden_weights = dropped.forward.depth() > 0 ? dropped.forward : hidden_forward_;
  for (std::size_t t = 0; t < steps; ++t) {
    const Rows<float> gates = share.rows(activations.gates, t);
    // 1. gates = table rows of the characters, or bias + x * W_ih for several steps at once
    if (first()) {
      const std::size_t from = share.units.begin * unit_columns();
      kernels_->gather(input.table->data() + from, input.table->cols(), input.rows + t * share.batch_size + share.begin,
                       n, gates.data + from, gates.stride, (share.units.end - share.units.begin) * unit_columns());
    } else if (t % at_once == 0) {
      const std::size_t rows = std::min(at_once, steps - t) * n;
      fill_bias(gates, rows, share.units);
      kernels_->multiply(of_units(input_product(share.rows(below->output(), t + 1), gates, rows), share.units));
    }
    // 2. gates += h' * W_hh, then the pointwise part (an inner stage first, then u in place of h')
    const std::size_t before = t * share.batch_size + share.begin;
    const std::size_t after = before + share.batch_size;
    const bool has_cell = traits_->has_cell_state;
    const CellForward step{.rows = n,
                           .gates = gates.data,
                           .gates_stride = gates.stride,
                           .previous_hidden = activations.hidden.row(before),
                           .previous_cell = has_cell ? activations.cell.row(before) : nullptr,
                           .hidden = activations.hidden.row(after),
                           .cell = has_cell ? activations.cell.row(after) : nullptr,
                           .stride = padded_};
    float* const inner = has_inner() ? activations.inner.row(before) : nullptr;
    if (has_inner()) {
      run_inner(step, inner, share.units);
      share.meet();
    }
    run_outer(step, inner, hidden_weights, share.units);
    // 3. dropout of its output
    if (dropout.active())
      dropout.apply(activations.hidden.row(after), activations.dropped.row(after), before, n, padded_, share.columns());
    share.meet();
  }
}

void RecurrentLayer::backward(LayerActivations& activations, Matrix& d_hidden, Matrix& d_cell, Matrix* d_input,
                              const DropoutMask& input_dropout, std::size_t steps, const Share& share) const {
  const std::size_t n = share.size();
  const bool has_cell = traits_->has_cell_state;
  const Range columns = share.columns();
  for (std::size_t b = share.begin; has_cell && b < share.end; ++b)
    std::fill(d_cell.row(b) + columns.begin, d_cell.row(b) + columns.end, 0.0F);
  const DroppedWeights& dropped = activations.dropped_weights;
  const PackedMatrix& hidden_weights = dropped.backward.depth() > 0 ? dropped.backward : hidden_backward_;
  for (std::size_t t = steps; t-- > 0;) {
    // 1. the pointwise part; d_hidden of the step before += dgates * W_hh
    const Rows<const float> d_gates = share.rows(std::as_const(activations.gates), t);
    const std::size_t before = t * share.batch_size + share.begin;
    const std::size_t after = before + share.batch_size;
    CellBackward step{.rows = n,
                      .gates = activations.gates.row(before),
                      .gates_stride = d_gates.stride,
                      .previous_hidden = activations.hidden.row(before),
                      .previous_cell = has_cell ? activations.cell.row(before) : nullptr,
                      .hidden = activations.hidden.row(after),
                      .cell = has_cell ? activations.cell.row(after) : nullptr,
                      .d_hidden = d_hidden.row(before),
                      .d_previous_hidden = t > 0 ? d_hidden.row(before - share.batch_size) : nullptr,
                      .d_cell = has_cell ? d_cell.row(share.begin) : nullptr,
                      .stride = padded_};
    run_backward(cell_->outer, step, share.units);
    share.meet();
    if (has_inner()) {
      // The gradient of u takes the place of that of h, which is used up.
      kernels_->multiply(to_units(
          backward_product(d_gates, traits_->hidden_first, hidden_weights, share.rows(d_hidden, t), n, Start::zero),
          share.units));
      step.hidden = activations.inner.row(before);
      run_backward(cell_->inner, step, share.units);
      share.meet();
    }
    const PackedMatrix& recurrent = has_inner() ? inner_backward_ : hidden_weights;
    if (t > 0 && recurrent.depth() > 0)
      kernels_->multiply(to_units(backward_product(d_gates, has_inner() ? traits_->input_first : traits_->hidden_first,
                                                   recurrent, share.rows(d_hidden, t - 1), n, Start::add),
                                  share.units));
    // 2. d_input = dgates * W_ih, for several steps at once, and the mask of the layer below
    const std::size_t at_once = share.steps_at_once();
    if (d_input == nullptr || t % at_once != 0) continue;
    const std::size_t last = std::min(t + at_once, steps);
    kernels_->multiply(to_units(backward_product(d_gates, traits_->input_first, input_backward_,
                                                 share.rows(*d_input, t), (last - t) * n, Start::zero),
                                share.units));
    if (!input_dropout.active()) continue;
    for (std::size_t s = t; s < last; ++s) {
      const std::size_t row = s * share.batch_size + share.begin;
      input_dropout.apply(d_input->row(row), d_input->row(row), row, n, d_input->cols(), columns);
    }
  }
}

void RecurrentLayer::accumulate_gradients(const LayerActivations& activations, const InputRows& input,
                                          const LayerActivations* below, std::size_t steps, std::size_t batch_size,
                                          Parameters& gradients, Matrix& d_table, float* scratch, int thread,
                                          int threads) const {
  const auto values = [&](std::size_t tensor) { return gradients.values(gradients.tensors()[tensor]).data(); };
  const Range units = share_of(unit_blocks_, thread, threads);
  const auto mine = [&](const std::vector<OuterBlock>& all) { return blocks_of(all, units, traits_->gates); };
  if (units.begin == units.end) return;
  const Matrix& d_gates = activations.gates;
  const std::size_t rows = steps * batch_size;

  if (traits_->recurrent)
    kernels_->outer_product({.d = d_gates.data(),
                             .d_stride = d_gates.cols(),
                             .x = has_inner() ? activations.inner.data() : activations.hidden.data(),
                             .x_stride = padded_,
                             .rows = rows,
                             .columns = hidden_,
                             .c = values(weight_hh_),
                             .column_sums = values(bias_hh_)},
                            mine(hidden_blocks_), scratch);
  if (const DropoutMask& mask = activations.dropped_weights.mask; mask.active())
    for (const OuterBlock& block : mine(hidden_blocks_))
      for (std::size_t row = block.c_row; row < block.c_row + block.count; ++row) {
        float* const d_weights = values(weight_hh_) + row * hidden_;
        std::copy_n(d_weights, hidden_, scratch);  // the mask is made for rows of Hp
        mask.apply(scratch, scratch, row, 1, padded_);
        std::copy_n(scratch, hidden_, d_weights);
      }
  if (traits_->inner == Inner::product)
    kernels_->outer_product({.d = d_gates.data(),
                             .d_stride = d_gates.cols(),
                             .x = activations.hidden.data(),
                             .x_stride = padded_,
                             .rows = rows,
                             .columns = hidden_,
                             .c = values(weight_uh_)},
                            mine(input_blocks_), scratch);
  if (!first()) {
    kernels_->outer_product({.d = d_gates.data(),
                             .d_stride = d_gates.cols(),
                             .x = below->output().row(batch_size),
                             .x_stride = below->output().cols(),
                             .rows = rows,
                             .columns = input_size_,
                             .c = values(weight_ih_),
                             .column_sums = values(bias_ih_)},
                            mine(input_blocks_), scratch);
    return;
  }

  // The table's gradient: dgates added up by character, for the columns of this thread's units.
  const std::size_t from = units.begin * unit_columns();
  const std::size_t width = (units.end - units.begin) * unit_columns();
  for (std::size_t v = 0; v < d_table.rows(); ++v) std::fill_n(d_table.row(v) + from, width, 0.0F);
  kernels_->scatter_add(d_table.data() + from, d_table.cols(), input.rows, rows, d_gates.data() + from, d_gates.cols(),
                        width);
  if (embedding_) return;  // embedding_gradients goes on
  float* d_weight = values(weight_ih_);
  float* d_bias = values(bias_ih_);
  for (const OuterBlock& block : mine(input_blocks_)) {  // each line of the table is read once, as pack writes them
    float* const out = d_weight + block.c_row * vocabulary_size_;
    std::array<double, kPanel> totals{};
    for (std::size_t v = 0; v < vocabulary_size_; ++v) {
      const float* const in = d_table.row(v) + block.d_column;
      for (std::size_t j = 0; j < block.count; ++j) {
        out[j * vocabulary_size_ + v] = in[j];
        totals[j] += static_cast<double>(in[j]);
      }
    }
    for (std::size_t j = 0; j < block.count; ++j) d_bias[block.c_row + j] = static_cast<float>(totals[j]);
  }
}

void RecurrentLayer::embedding_gradients(const Matrix& d_table, const BlockCharacters& characters, Matrix& d_embedding,
                                         Parameters& gradients, float* scratch, int thread, int threads) const {
  const auto values = [&](std::size_t tensor) { return gradients.values(gradients.tensors()[tensor]).data(); };
  const Range units = share_of(unit_blocks_, thread, threads);
  if (units.begin < units.end)
    kernels_->outer_product({.d = d_table.data(),
                             .d_stride = d_table.cols(),
                             .x = characters.embedded.data(),
                             .x_stride = input_size_,
                             .rows = characters.distinct.size(),
                             .columns = input_size_,
                             .c = values(weight_ih_),
                             .column_sums = values(bias_ih_)},
                            blocks_of(input_blocks_, units, traits_->gates), scratch);

  // The rows of this thread's tokens: those of the block get a gradient, all others none.
  const Range tokens = share_of(vocabulary_size_, thread, threads);
  const auto& distinct = characters.distinct;
  const auto row_from = [&](std::size_t token) {
    return static_cast<std::size_t>(std::ranges::lower_bound(distinct, static_cast<std::int32_t>(token)) -
                                    distinct.begin());
  };
  const Range rows{row_from(tokens.begin), row_from(tokens.end)};
  float* const out = values(kEmbeddingTensor);
  std::fill(out + tokens.begin * input_size_, out + tokens.end * input_size_, 0.0F);
  if (rows.begin == rows.end) return;
  kernels_->multiply(backward_product(plain_rows(d_table.row(rows.begin), d_table.cols()), traits_->input_first,
                                      input_backward_, plain_rows(d_embedding.row(rows.begin), d_embedding.cols()),
                                      rows.end - rows.begin, Start::zero));
  for (std::size_t row = rows.begin; row < rows.end; ++row)
    std::copy_n(d_embedding.row(row), input_size_, out + static_cast<std::size_t>(distinct[row]) * input_size_);
}

void RecurrentLayer::step(const Parameters& parameters, const std::int32_t* tokens, const Matrix* input, Matrix& gates,
                          Matrix& inner, const Matrix& hidden, Matrix* cell, Matrix& next_hidden, int thread,
                          ThreadTeam* team) const {
  const std::size_t n = hidden.rows();
  const Range units = share_of(unit_blocks_, thread, team != nullptr ? team->size() : 1);
  if (first() && !has_table_) {
    const float* const embedding = parameters.values(parameters.tensors()[kEmbeddingTensor]).data();
    const Rows<float> gate_rows = plain_rows(gates.data(), gates.cols());
    fill_bias(gate_rows, n, units);
    for (std::size_t row = 0; row < n; ++row)
      kernels_->multiply(of_units(
          input_product(plain_rows(embedding + static_cast<std::size_t>(tokens[row]) * input_size_, input_size_),
                        plain_rows(gates.row(row), gates.cols()), 1),
          units));
  } else if (first()) {
    const std::size_t from = units.begin * unit_columns();
    kernels_->gather(table_.data() + from, table_.cols(), tokens, n, gates.data() + from, gates.cols(),
                     (units.end - units.begin) * unit_columns());
  } else {
    const Rows<float> gate_rows = plain_rows(gates.data(), gates.cols());
    fill_bias(gate_rows, n, units);
    kernels_->multiply(of_units(input_product(plain_rows(input->data(), input->cols()), gate_rows, n), units));
  }
  const CellForward step{.rows = n,
                         .gates = gates.data(),
                         .gates_stride = gates.cols(),
                         .previous_hidden = hidden.data(),
                         .previous_cell = cell != nullptr ? cell->data() : nullptr,
                         .hidden = next_hidden.data(),
                         .cell = cell != nullptr ? cell->data() : nullptr,
                         .stride = padded_};
  if (has_inner()) {
    run_inner(step, inner.data(), units);
    if (team != nullptr) team->barrier();
  }
  run_outer(step, inner.data(), hidden_forward_, units);
}

}  // namespace rune::model
