#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/optimizers.h"
#include "kernels/products.h"
#include "rune/options.h"

namespace rune::kernels {

enum class Isa { baseline, avx2, avx512, amx, neon };
std::string_view to_string(Isa isa);

/// What a cell's pointwise part sees at one step: a block of 16 units of some rows. Gates are (rows, slots * 16) at
/// `gates`, the other arrays (rows, 16); each has its own distance between rows.
struct CellForward {
  std::size_t rows = 0;
  float* gates = nullptr;  // in: pre-activations; out: what the backward pass needs
  std::size_t gates_stride = 0;
  const float* previous_hidden = nullptr;
  const float* previous_cell = nullptr;  // LSTM
  float* hidden = nullptr;               // an inner stage leaves u here
  float* cell = nullptr;                 // LSTM
  std::size_t stride = 0;                // of hidden and cell arrays
};

struct CellBackward {
  std::size_t rows = 0;
  float* gates = nullptr;  // in: what forward left; out: gradients of the pre-activations
  std::size_t gates_stride = 0;
  const float* previous_hidden = nullptr;
  const float* previous_cell = nullptr;
  const float* hidden = nullptr;  // inner stage: u
  const float* cell = nullptr;
  float* d_hidden = nullptr;           // gradient of this step's hidden state; inner stage: of u
  float* d_previous_hidden = nullptr;  // what goes past the products is added; may be null at the first step
  float* d_cell = nullptr;             // in: from the next step; out: for the previous one
  std::size_t stride = 0;
};

/// A stage of a cell: one fused step forward (recurrent product and pointwise part, block by block of 16 units) and the
/// pointwise backward part.
struct StageKernels {
  /// `product` adds the recurrent product into the gates (all unit blocks, gates_per_block panels each); `forward`
  /// describes block 0.
  void (*step)(const Product& product, const CellForward& forward, std::size_t unit_blocks);
  void (*backward)(const CellBackward& backward, std::size_t unit_blocks);
};

/// Most cells have one stage, which makes h. The loop cells have another one before it: it makes u, with which the
/// outer stage's product is made in place of h'.
struct CellKernels {
  StageKernels outer;
  StageKernels inner;  // null where the cell has none
};

enum class CellKind { rnn_tanh, rnn_relu, gru, lstm, loop, loop_concat, mingru };
inline constexpr std::size_t kCellKinds = 7;

/// Where dropout's random bits come from: see RandomStream. Elements come in groups of 128 = 8 runs of 16; element i of
/// run r of group g uses a half-word of block 16 g + i: the low (even r) or high (odd r) one of word r / 2.
struct DropoutKey {
  std::array<std::uint32_t, 2> key{};
  std::uint64_t step = 0;
};

/// The kernels of one instruction set and precision. Where operands are bf16, products round both of their factors to
/// it and add up floats; everything else is the same in both. All functions are pure in their arguments and
/// thread-safe.
struct Kernels {
  Isa isa;
  /// Those of the same instruction set whose results have the same bits on every other; null in these themselves.
  const Kernels* canonical;
  Precision precision;  // of the products' operands; f32 or bf16
  // How panels are packed: bytes of an element, of how many rows' elements a panel's depth is made, and of how many
  // rows it has a multiple; those that are never packed are zero.
  std::size_t element_bytes;
  std::size_t element_depth;
  std::size_t depth_multiple;

  void (*multiply)(const Product&);
  /// Blocks are D's column blocks of this thread; scratch has outer_scratch_size(columns) floats.
  void (*outer_product)(const OuterProduct&, std::span<const OuterBlock> blocks, float* scratch);

  std::array<CellKernels, kCellKinds> cells;

  /// Cross-entropy of one row of logits (padded to `padded`, a multiple of 16, the padding very negative). With `scale`
  /// != 0 the logits become scale * (softmax - one_hot(target)), the gradient; with 0 they are left as they are.
  float (*cross_entropy)(float* logits, std::size_t padded, std::int32_t target, float scale);

  /// out = e^((in - shift) * factor), n of them.
  void (*exponentials)(const float* in, std::size_t n, float shift, float factor, float* out);

  /// out = in * mask / (1 - p), for elements [first, first + n), n and first multiples of 16; p = threshold / 65536.
  /// May work in place.
  void (*dropout)(const float* in, float* out, std::uint64_t first, std::size_t n, const DropoutKey&,
                  std::uint32_t threshold);

  /// table rows (n floats, n a multiple of 16) gathered: out row i = table row tokens[i]; and scattered back: table row
  /// tokens[i] += in row i.
  void (*gather)(const float* table, std::size_t table_stride, const std::int32_t* tokens, std::size_t rows, float* out,
                 std::size_t out_stride, std::size_t n);
  void (*scatter_add)(float* table, std::size_t table_stride, const std::int32_t* tokens, std::size_t rows,
                      const float* in, std::size_t in_stride, std::size_t n);

  /// Rows of a matrix, up to 16 of them, as the columns of a panel (depth, 16); zeros where there is no row.
  void (*pack_columns)(const float* rows, std::size_t stride, std::size_t count, std::size_t depth, std::byte* panel);
  /// `width` columns, 1 to 16, of `depth` neighbouring rows as the next rows of a panel, zeros beyond them. But for the
  /// last ones of a panel they are a multiple of element_depth.
  void (*pack_rows)(const float* rows, std::size_t stride, std::size_t width, std::size_t depth, std::byte* panel);

  // Optimisers: n elements each. `momentum_buffer` may be null where momentum is 0.
  void (*adam)(const AdamUpdate&, float* parameters, const float* gradients, float* first, float* second,
               std::size_t n);
  void (*sgd)(const SgdUpdate&, float* parameters, const float* gradients, float* momentum_buffer, std::size_t n);
  void (*rmsprop)(const RmspropUpdate&, float* parameters, const float* gradients, float* square_average,
                  float* momentum_buffer, std::size_t n);
  /// average += share * (values - average), n elements.
  void (*move_average)(float share, const float* values, float* average, std::size_t n);
  /// In double, in a fixed order.
  double (*sum_of_squares)(const float* values, std::size_t n);

  /// For benchmarks: n repetitions of so many independent multiply-adds of the products' operands, in registers alone.
  float (*multiply_add_chains)(std::size_t n);
  std::size_t multiply_adds_per_repetition;
  /// For benchmarks: the sum of n values, as fast as they can be read from where they lie.
  float (*read)(const float* values, std::size_t n);
};

/// The f32 kernels of the best instruction set that this processor can run, or of the best one up to that named by the
/// environment variable RUNE_ISA (baseline, avx2, avx512, amx, neon): amx adds products of bf16 to avx512. Throws
/// InputError if that one is unknown or cannot run here. Chosen once.
const Kernels& kernels();
/// Those of a precision, chosen alike; `automatic`: the fastest, mostly bf16 where there is one. Throws InputError
/// where this processor, or what RUNE_ISA leaves of it, does not multiply bf16.
const Kernels& kernels(Precision precision);
/// f32 kernels of the same instruction set without fused multiply-adds. What a network computes forward, and
/// exponentials, have the same bits with those of every other instruction set: the order of a sum depends on shapes
/// alone, so nothing else is different. For whoever must agree to the bit with another machine. Not so losses (a row's
/// sum depends on the width of vectors, the logarithm is the C library's) and gradients.
const Kernels& canonical();
/// All that can run here, best first: for tests and benchmarks.
std::span<const Kernels* const> available_kernels();

}  // namespace rune::kernels
