#include "model/network.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "model/projection.h"
#include "model/recurrent_layer.h"
#include "rune/error.h"

namespace rune::model {

using kernels::kPanel;

namespace {

// Evaluation walks a block in pieces of about so many rows, training keeps so many floats of logits at a time.
constexpr std::size_t kEvaluationRows = 512;
constexpr std::size_t kLogitsFloats = std::size_t{4} << 20;

std::size_t as_size(int value) { return static_cast<std::size_t>(value); }

std::size_t padded_units(const ModelOptions& options) { return round_up(as_size(options.hidden_size), kPanel); }

/// The mask after recurrent layer `layer`: between the layers, or before the projection.
DropoutMask mask_after(const ModelOptions& options, std::size_t layer, std::size_t batch_size, std::uint64_t seed,
                       std::uint64_t step) {
  const float probability =
      layer + 1 < as_size(options.layers) ? options.dropout : options.output_dropout.value_or(options.dropout);
  return {probability, RandomStream(seed, RandomPurpose::dropout, step, static_cast<std::uint32_t>(layer)),
          options.locked_dropout ? batch_size : 0};
}

/// The mask of a layer's recurrent matrix: rows of Hp.
DropoutMask weight_mask(const ModelOptions& options, std::size_t layer, std::uint64_t seed, std::uint64_t step) {
  return {options.weight_drop, RandomStream(seed, RandomPurpose::weight_drop, step, static_cast<std::uint32_t>(layer))};
}

}  // namespace

State::State(const ModelOptions& options, int batch_size) : batch_size_(batch_size), hidden_size_(options.hidden_size) {
  for (int l = 0; l < options.layers; ++l) {
    hidden.emplace_back(as_size(batch_size), padded_units(options));
    if (traits_of(options.cell).has_cell_state) cell.emplace_back(as_size(batch_size), padded_units(options));
  }
}

void State::zero() {
  for (Matrix& m : hidden) m.zero();
  for (Matrix& m : cell) m.zero();
}

namespace {

std::vector<float> unpadded(const std::vector<Matrix>& layers, std::size_t hidden_size) {
  std::vector<float> values;
  for (const Matrix& layer : layers)
    for (std::size_t b = 0; b < layer.rows(); ++b)
      values.insert(values.end(), layer.row(b), layer.row(b) + hidden_size);
  return values;
}

void set_padded(std::vector<Matrix>& layers, std::size_t hidden_size, std::span<const float> values) {
  const std::size_t rows = layers.empty() ? 0 : layers.size() * layers.front().rows();
  if (values.size() != rows * hidden_size)
    throw InputError("a state of " + std::to_string(values.size()) + " values was given where " +
                     std::to_string(rows * hidden_size) + " are expected");
  const float* in = values.data();
  for (Matrix& layer : layers)
    for (std::size_t b = 0; b < layer.rows(); ++b, in += hidden_size) std::copy_n(in, hidden_size, layer.row(b));
}

}  // namespace

std::vector<float> State::hidden_values() const { return unpadded(hidden, as_size(hidden_size_)); }
std::vector<float> State::cell_values() const { return unpadded(cell, as_size(hidden_size_)); }

void State::set(std::span<const float> hidden_values, std::span<const float> cell_values) {
  set_padded(hidden, as_size(hidden_size_), hidden_values);
  set_padded(cell, as_size(hidden_size_), cell_values);
}

void State::copy_stream(const State& other, int from, int to) {
  const auto copy = [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    for (std::size_t l = 0; l < in.size(); ++l)
      std::copy_n(in[l].row(as_size(from)), in[l].cols(), out[l].row(as_size(to)));
  };
  copy(other.hidden, hidden);
  copy(other.cell, cell);
}

struct Network::Parts {
  ModelOptions options;
  std::size_t vocabulary_size;
  Parameters parameters;
  Purpose purpose;
  const kernels::Kernels* kernels;
  std::vector<RecurrentLayer> layers;
  Projection projection;

  Parts(const ModelOptions& model_options, std::size_t vocabulary, Parameters values, Purpose used_for,
        const kernels::Kernels& used_kernels)
      : options(model_options),
        vocabulary_size(vocabulary),
        parameters(std::move(values)),
        purpose(used_for),
        kernels(&used_kernels),
        projection(options, vocabulary_size, purpose, used_kernels) {
    for (int l = 0; l < options.layers; ++l) layers.emplace_back(options, l, vocabulary_size, purpose, used_kernels);
    pack_share(/*with_table=*/true, 0, 1);
  }

  void pack_share(bool with_table, int thread, int threads) {
    for (RecurrentLayer& layer : layers) layer.pack(parameters, with_table, thread, threads);
    projection.pack(parameters, thread, threads);
  }

  /// What the first layer reads of a block; with an embedding it is there after all threads have passed fill_table.
  InputRows input_rows(const text::TokenBlock& block, BlockCharacters& characters) const {
    if (!layers.front().has_embedding()) return {&layers.front().table(), block.inputs.data()};
    characters.list(block.inputs);
    const auto size = as_size(options.embedding);
    const auto embedding = parameters.values("embedding.weight");
    for (std::size_t row = 0; row < characters.distinct.size(); ++row)
      std::copy_n(embedding.data() + as_size(characters.distinct[row]) * size, size, characters.embedded.row(row));
    return {&characters.table, characters.rows.data()};
  }
  void fill_table(BlockCharacters& characters, int thread, ThreadTeam& team) const {
    if (!layers.front().has_embedding()) return;
    layers.front().fill_table(characters, thread, team.size());
    team.barrier();
  }
};

struct Workspace::Parts {
  std::size_t steps;  // of a piece: all of a block in training
  std::size_t batch_size;
  Mode mode;
  const kernels::Kernels* kernels;  // of the network
  std::vector<LayerActivations> layers;
  Matrix logits;                       // (chunk*B, Vp)
  std::size_t logits_steps;            // steps of a chunk
  std::vector<float> losses;           // (T,B)
  std::array<Matrix, 2> d_output;      // (T*B, Hp): gradients of the outputs of even and of odd layers
  Matrix d_cell;                       // (B, Hp)
  BlockCharacters characters;          // with an embedding
  Matrix d_table;                      // (V or D, slots*Hp)
  Matrix d_embedding;                  // (D, Ep)
  std::vector<DropoutMask> masks;      // per layer
  std::vector<Buffer<float>> scratch;  // per thread
  std::size_t scratch_size = 0;

  void prepare(int threads, std::size_t layer_count) {
    masks.resize(layer_count);
    while (scratch.size() < as_size(threads)) scratch.emplace_back(scratch_size);
  }
};

Workspace::Workspace(const Network& network, int sequence_length, int batch_size, Mode mode)
    : parts_(std::make_unique<Parts>()) {
  const ModelOptions& options = network.options();
  const auto vocabulary = as_size(network.vocabulary_size());
  Parts& w = *parts_;
  w.batch_size = as_size(batch_size);
  w.mode = mode;
  w.kernels = &network.kernels();
  const bool training = mode == Mode::training;
  w.steps = training ? as_size(sequence_length)
                     : std::min(as_size(sequence_length), std::max<std::size_t>(1, kEvaluationRows / w.batch_size));
  const std::size_t rows = w.steps * w.batch_size;
  const std::size_t padded_vocabulary = round_up(vocabulary, kPanel);
  for (std::size_t l = 0; l < as_size(options.layers); ++l)
    w.layers.emplace_back(options, network.kernels(), w.steps, w.batch_size, training && options.weight_drop > 0,
                          training && mask_after(options, l, w.batch_size, 0, 0).active());
  w.logits_steps = std::clamp<std::size_t>(kLogitsFloats / (padded_vocabulary * w.batch_size), 1, w.steps);
  w.logits = Matrix(w.logits_steps * w.batch_size, padded_vocabulary);
  w.losses.resize(as_size(sequence_length) * w.batch_size);
  const std::size_t gate_columns = traits_of(options.cell).slots * padded_units(options);
  const std::size_t places = as_size(sequence_length) * w.batch_size;
  if (options.embedding > 0)
    w.characters = BlockCharacters(vocabulary, places, as_size(options.embedding), gate_columns);
  if (!training) return;
  for (std::size_t l = 0; l < std::min<std::size_t>(2, w.layers.size()); ++l)
    w.d_output[l] = Matrix(rows, padded_units(options));
  if (traits_of(options.cell).has_cell_state) w.d_cell = Matrix(w.batch_size, padded_units(options));
  const std::size_t embedding = round_up(as_size(options.embedding), kPanel);
  const std::size_t table_rows = embedding > 0 ? w.characters.table.rows() : vocabulary;
  w.d_table = Matrix(table_rows, gate_columns);
  w.d_embedding = Matrix(embedding > 0 ? table_rows : 0, embedding);
  w.scratch_size = kernels::outer_scratch_size(std::max(padded_units(options), embedding));
}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

std::span<const float> Workspace::losses() const { return parts_->losses; }

Network::Network(const ModelOptions& options, int vocabulary_size, Parameters parameters, Purpose purpose,
                 const kernels::Kernels& kernels) {
  validate(options);
  if (vocabulary_size < 1) throw InputError("a model needs an alphabet of at least one character");
  parts_ = std::make_unique<Parts>(options, as_size(vocabulary_size), std::move(parameters), purpose, kernels);
}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const ModelOptions& Network::options() const { return parts_->options; }
int Network::vocabulary_size() const { return static_cast<int>(parts_->vocabulary_size); }
const Parameters& Network::parameters() const { return parts_->parameters; }
const kernels::Kernels& Network::kernels() const { return *parts_->kernels; }
Parameters& Network::mutable_parameters() { return parts_->parameters; }

void Network::use(const kernels::Kernels& kernels, Purpose purpose) {
  const Purpose both = std::max(parts_->purpose, purpose);
  if (&kernels == parts_->kernels && both == parts_->purpose) return;
  parts_ =
      std::make_unique<Parts>(parts_->options, parts_->vocabulary_size, std::move(parts_->parameters), both, kernels);
}

void Network::pack(ThreadTeam& team, bool with_table) {
  team.run([&](int thread) { parts_->pack_share(with_table, thread, team.size()); });
}

namespace {

void enter(const State& state, std::span<const std::uint8_t> fresh, std::vector<LayerActivations>& layers,
           const Share& share) {
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t b = share.begin; b < share.end; ++b) {
      if (!fresh.empty() && fresh[b] != 0) {
        std::fill_n(layers[l].hidden.row(b), state.hidden[l].cols(), 0.0F);
        if (!state.cell.empty()) std::fill_n(layers[l].cell.row(b), state.cell[l].cols(), 0.0F);
        continue;
      }
      std::copy_n(state.hidden[l].row(b), state.hidden[l].cols(), layers[l].hidden.row(b));
      if (!state.cell.empty()) std::copy_n(state.cell[l].row(b), state.cell[l].cols(), layers[l].cell.row(b));
    }
}

void leave(State& state, const std::vector<LayerActivations>& layers, std::size_t steps, const Share& share) {
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t b = share.begin; b < share.end; ++b) {
      const std::size_t last = steps * share.batch_size + b;
      std::copy_n(layers[l].hidden.row(last), state.hidden[l].cols(), state.hidden[l].row(b));
      if (!state.cell.empty()) std::copy_n(layers[l].cell.row(last), state.cell[l].cols(), state.cell[l].row(b));
    }
}

/// A thread's share of B streams. Of fewer streams than threads they share the units, where these are enough; the
/// streams' states then belong to thread 0.
Share share_of_block(std::size_t batch_size, std::size_t unit_blocks, int thread, ThreadTeam& team) {
  const auto threads = as_size(team.size());
  if (batch_size < threads && unit_blocks >= 2 * threads)
    return {batch_size, 0, batch_size, share_of(unit_blocks, thread, team.size()), &team};
  const Range mine = share_of(batch_size, thread, team.size());
  return {batch_size, mine.begin, mine.end, {0, unit_blocks}, nullptr};
}

/// The steps of a chunk whose losses a thread takes: all of its own streams', a part of those of shared ones.
Range steps_of(const Share& share, std::size_t steps, int thread, const ThreadTeam& team) {
  return share.team != nullptr ? share_of(steps, thread, team.size()) : Range{0, steps};
}

/// The first step of a block that has a loss (the last one if none has): no step before it needs logits.
std::size_t first_counted_step(const text::TokenBlock& block) {
  const auto counted =
      std::find_if(block.targets.begin(), block.targets.end(), [](std::int32_t target) { return target >= 0; });
  const std::size_t step = static_cast<std::size_t>(counted - block.targets.begin()) / as_size(block.batch_size);
  return std::min(step, as_size(block.sequence_length) - 1);
}

Loss total(const text::TokenBlock& block, std::span<const float> losses) {
  Loss loss;
  for (std::size_t i = 0; i < block.targets.size(); ++i) {
    if (block.targets[i] < 0) continue;
    loss.sum += static_cast<double>(losses[i]);
    ++loss.characters;
  }
  return loss;
}

void check(const text::TokenBlock& block, const State& state, std::size_t batch_size, std::size_t steps) {
  if (as_size(block.batch_size) != batch_size || state.batch_size() != block.batch_size ||
      as_size(block.sequence_length) > steps)
    throw InputError("a block of " + std::to_string(block.sequence_length) + " x " + std::to_string(block.batch_size) +
                     " characters does not fit a workspace of " + std::to_string(steps) + " x " +
                     std::to_string(batch_size) + " and a state of " + std::to_string(state.batch_size()) + " streams");
}

}  // namespace

Loss Network::evaluate(const text::TokenBlock& block, State& state, Workspace& workspace, ThreadTeam& team) const {
  const Parts& net = *parts_;
  Workspace::Parts& w = *workspace.parts_;
  check(block, state, w.batch_size, w.losses.size() / w.batch_size);
  const auto steps = as_size(block.sequence_length);
  const std::size_t counted = first_counted_step(block);
  std::fill_n(w.losses.begin(), counted * w.batch_size, 0.0F);
  const InputRows all_inputs = net.input_rows(block, w.characters);

  team.run([&](int thread) {
    net.fill_table(w.characters, thread, team);
    const Share share = share_of_block(w.batch_size, net.layers.front().unit_blocks(), thread, team);
    if (share.size() == 0) return;
    const bool has_states = share.team == nullptr || thread == 0;
    for (std::size_t first = 0; first < steps; first += w.steps) {
      const std::size_t now = std::min(w.steps, steps - first);
      const InputRows inputs{all_inputs.table, all_inputs.rows + first * w.batch_size};
      if (has_states) enter(state, first == 0 ? block.fresh : std::span<const std::uint8_t>(), w.layers, share);
      share.meet();
      for (std::size_t l = 0; l < net.layers.size(); ++l)
        net.layers[l].forward(inputs, l > 0 ? &w.layers[l - 1] : nullptr, w.layers[l], {}, now, share);
      if (has_states) leave(state, w.layers, now, share);
      for (std::size_t chunk = counted > first ? counted - first : 0; chunk < now; chunk += w.logits_steps) {
        const Range chunk_steps = steps_of(share, std::min(w.logits_steps, now - chunk), thread, team);
        net.projection.loss(w.layers.back(), block.targets.data() + first * w.batch_size, chunk, chunk_steps, 0,
                            w.logits, std::span(w.losses).subspan(first * w.batch_size), nullptr, {}, share);
        share.meet();
      }
    }
  });
  return total(block, w.losses);
}

Loss Network::gradients(const text::TokenBlock& block, State& state, std::uint64_t seed, std::uint64_t dropout_step,
                        Workspace& workspace, Parameters& gradients, ThreadTeam& team, Reduction reduction) const {
  const Parts& net = *parts_;
  Workspace::Parts& w = *workspace.parts_;
  if (net.purpose != Purpose::training) throw InputError("gradients need a network packed for training");
  if (w.mode != Workspace::Mode::training) throw InputError("gradients need a workspace made for training");
  if (w.kernels != net.kernels) throw InputError("gradients need a workspace made for the kernels in use");
  check(block, state, w.batch_size, w.steps);
  w.prepare(team.size(), net.layers.size());
  const auto steps = as_size(block.sequence_length);
  const InputRows inputs = net.input_rows(block, w.characters);
  const std::int32_t* targets = block.targets.data();
  const auto counted =
      std::count_if(block.targets.begin(), block.targets.end(), [](std::int32_t target) { return target >= 0; });
  const float scale =
      reduction == Reduction::sum ? 1.0F : 1.0F / static_cast<float>(std::max<std::ptrdiff_t>(counted, 1));
  for (std::size_t l = 0; l < net.layers.size(); ++l)
    w.masks[l] = mask_after(net.options, l, w.batch_size, seed, dropout_step);
  for (std::size_t l = 0; l < net.layers.size(); ++l)
    w.layers[l].dropped_weights.mask = weight_mask(net.options, l, seed, dropout_step);
  const std::size_t top = net.layers.size() - 1;
  const std::size_t counted_from = first_counted_step(block);
  std::fill_n(w.losses.begin(), counted_from * w.batch_size, 0.0F);

  team.run([&](int thread) {
    const int threads = team.size();
    float* scratch = w.scratch[static_cast<std::size_t>(thread)].data();
    const Share share = share_of_block(w.batch_size, net.layers.front().unit_blocks(), thread, team);
    const bool busy = share.size() > 0;
    const bool has_states = busy && (share.team == nullptr || thread == 0);
    net.fill_table(w.characters, thread, team);

    // 0. The recurrent weights of this step, where some are dropped.
    if (net.options.weight_drop > 0) {
      for (std::size_t l = 0; l <= top; ++l) net.layers[l].drop_weights(net.parameters, w.layers[l], thread, team);
      team.barrier();
    }

    // 1. Forward: this thread's share, through all steps and layers.
    if (has_states) enter(state, block.fresh, w.layers, share);
    if (busy) {
      share.meet();
      for (std::size_t l = 0; l <= top; ++l)
        net.layers[l].forward(inputs, l > 0 ? &w.layers[l - 1] : nullptr, w.layers[l], w.masks[l], steps, share);
    }
    if (has_states) leave(state, w.layers, steps, share);
    // 2. Loss, and back through the projection, so many steps at a time that the logits stay small.
    for (std::size_t t = 0; has_states && t < counted_from; ++t)
      std::fill_n(w.d_output[top % 2].row(t * w.batch_size + share.begin), share.size() * w.d_output[top % 2].cols(),
                  0.0F);
    for (std::size_t chunk = counted_from; chunk < steps; chunk += w.logits_steps) {
      const std::size_t now = std::min(w.logits_steps, steps - chunk);
      if (busy)
        net.projection.loss(w.layers[top], targets, chunk, steps_of(share, now, thread, team), scale, w.logits,
                            w.losses, &w.d_output[top % 2], w.masks[top], share);
      team.barrier();
      net.projection.accumulate_gradients(w.logits, w.layers[top].output().row((chunk + 1) * w.batch_size),
                                          now * w.batch_size, chunk > counted_from, gradients, scratch, thread,
                                          threads);
      if (chunk + now < steps) team.barrier();
    }
    // 3. Backward: the same share, from the last layer and step to the first.
    if (busy)
      for (std::size_t l = top + 1; l-- > 0;)
        net.layers[l].backward(w.layers[l], w.d_output[l % 2], w.d_cell, l > 0 ? &w.d_output[(l - 1) % 2] : nullptr,
                               l > 0 ? w.masks[l - 1] : DropoutMask{}, steps, share);
    team.barrier();
    // 4. Weight gradients: every thread takes the same units of all streams and steps.
    for (std::size_t l = 0; l <= top; ++l)
      net.layers[l].accumulate_gradients(w.layers[l], inputs, l > 0 ? &w.layers[l - 1] : nullptr, steps, w.batch_size,
                                         gradients, w.d_table, scratch, thread, threads);
    if (net.layers.front().has_embedding()) {
      team.barrier();
      net.layers.front().embedding_gradients(w.d_table, w.characters, w.d_embedding, gradients, scratch, thread,
                                             threads);
    }
  });
  return total(block, w.losses);
}

void Network::step(std::span<const std::int32_t> tokens, State& state, Matrix& logits, ThreadTeam* team) const {
  const Parts& net = *parts_;
  const auto batch_size = as_size(state.batch_size());
  const std::size_t units = padded_units(net.options);
  if (state.step_hidden_.empty()) {
    state.step_gates_ = Matrix(batch_size, net.layers.front().gate_stride());
    if (traits_of(net.options.cell).inner != Inner::none) state.step_inner_ = Matrix(batch_size, units);
    for (std::size_t l = 0; l < net.layers.size(); ++l) state.step_hidden_.emplace_back(batch_size, units);
    state.step_logits_ = Matrix(batch_size, net.projection.padded_size());
  }
  const auto work = [&](int thread) {
    for (std::size_t l = 0; l < net.layers.size(); ++l) {
      net.layers[l].step(net.parameters, tokens.data(), l > 0 ? &state.step_hidden_[l - 1] : nullptr, state.step_gates_,
                         state.step_inner_, state.hidden[l], state.cell.empty() ? nullptr : &state.cell[l],
                         state.step_hidden_[l], thread, team);
      if (team != nullptr) team->barrier();
    }
    net.projection.logits(state.step_hidden_.back(), state.step_logits_, thread, team != nullptr ? team->size() : 1);
  };
  if (team != nullptr)
    team->run(work);
  else
    work(0);
  std::swap(state.hidden, state.step_hidden_);
  for (std::size_t b = 0; b < batch_size; ++b)
    std::copy_n(state.step_logits_.row(b), net.vocabulary_size, logits.row(b));
}

std::vector<float> dropout_multipliers(const ModelOptions& options, int layer, int steps, int batch_size,
                                       std::uint64_t seed, std::uint64_t dropout_step) {
  const std::size_t padded = padded_units(options);
  const std::size_t streams = as_size(batch_size);
  const DropoutMask mask = mask_after(options, as_size(layer), streams, seed, dropout_step);
  Matrix ones(as_size(steps) * streams, padded);
  std::ranges::fill(ones.values(), 1.0F);
  std::vector<float> multipliers;
  for (std::size_t row = 0; row < ones.rows(); row += streams)
    mask.apply(ones.row(row), ones.row(row), row, streams, padded);
  for (std::size_t row = 0; row < ones.rows(); ++row)
    multipliers.insert(multipliers.end(), ones.row(row), ones.row(row) + options.hidden_size);
  return multipliers;
}

std::vector<float> weight_drop_multipliers(const ModelOptions& options, int layer, std::uint64_t seed,
                                           std::uint64_t dropout_step) {
  const std::size_t padded = padded_units(options);
  const std::vector<float> ones(padded, 1.0F);
  std::vector<float> row(padded);
  std::vector<float> multipliers;
  const DropoutMask mask = weight_mask(options, as_size(layer), seed, dropout_step);
  for (std::size_t r = 0; r < traits_of(options.cell).gates * as_size(options.hidden_size); ++r) {
    mask.apply(ones.data(), row.data(), r, 1, padded);
    multipliers.insert(multipliers.end(), row.begin(), row.begin() + options.hidden_size);
  }
  return multipliers;
}

}  // namespace rune::model
