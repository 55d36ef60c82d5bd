#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/matrix.h"
#include "rune/options.h"

namespace rune::model {

/// What a network's weights are packed for: training also needs them for the backward products, as much memory again.
enum class Purpose { inference, training };

/// One parameter tensor: PyTorch's name and shape, and where it lies in the arena.
struct Tensor {
  std::string name;                 // lstm.weight_ih_l0
  std::vector<std::int64_t> shape;  // PyTorch's: (4H, K), row-major
  std::size_t offset = 0;           // in floats; a multiple of 16
  std::size_t size = 0;             // number of elements
  std::int64_t fan_in = 0;          // its uniform numbers are U(+-1/sqrt(fan_in))
};

/// The tensors of a model in PyTorch's order, without their memory. Throws InputError if the options or the size are
/// invalid.
std::vector<Tensor> tensor_layout(const ModelOptions& options, int vocabulary_size);

/// All parameters of a model (or their gradients, or an optimiser's moments) in one arena, in PyTorch's order and
/// layout:
///   embedding.weight (V,E)                                  only with an embedding
///   <cell>.weight_ih_l<k> (G*H, E or V or H), <cell>.weight_hh_l<k> (G*H, H), <cell>.bias_ih_l<k>, <cell>.bias_hh_l<k>
///   (G*H); loop_concat: <cell>.weight_uh_l<k> (H, H) before weight_hh; mingru: neither weight_hh nor bias_hh
///   fc.weight (V,H), fc.bias (V)
/// with <cell> = cell_name() and PyTorch's gate orders (LSTM i f g o, GRU r z n; minGRU z c). Between tensors there may
/// be padding floats, always zero. Value type (copies copy the arena).
class Parameters {
 public:
  /// All zero. Throws InputError if the options or the size are invalid.
  Parameters(const ModelOptions& options, int vocabulary_size);
  Parameters(const Parameters& other);
  Parameters& operator=(const Parameters& other);
  Parameters(Parameters&&) noexcept = default;
  Parameters& operator=(Parameters&&) noexcept = default;

  /// Freshly drawn: embedding N(0,1), recurrent layers as options.init and forget_bias say, projection U(+-1/sqrt(H)).
  /// A function of (options, vocabulary_size, seed) alone.
  static Parameters initialized(const ModelOptions& options, int vocabulary_size, std::uint64_t seed);

  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Throws InputError if there is none of that name.
  [[nodiscard]] const Tensor& tensor(std::string_view name) const;
  [[nodiscard]] std::span<float> values(const Tensor& tensor) {
    return values_.span().subspan(tensor.offset, tensor.size);
  }
  [[nodiscard]] std::span<const float> values(const Tensor& tensor) const {
    return values_.span().subspan(tensor.offset, tensor.size);
  }
  [[nodiscard]] std::span<float> values(std::string_view name) { return values(tensor(name)); }
  [[nodiscard]] std::span<const float> values(std::string_view name) const { return values(tensor(name)); }
  /// The whole arena, padding included.
  [[nodiscard]] std::span<float> arena() { return values_.span(); }
  [[nodiscard]] std::span<const float> arena() const { return values_.span(); }
  /// Number of parameters, padding not counted.
  [[nodiscard]] std::int64_t count() const;

 private:
  std::vector<Tensor> tensors_;
  Buffer<float> values_;
};

/// "rnn", "gru", "lstm", ...: the prefix of a recurrent layer's parameter names.
std::string_view cell_name(Cell cell);
/// "weight_ih", ...: the tensors of a recurrent layer, in their order.
std::span<const std::string_view> layer_tensors(Cell cell);

/// Throws InputError naming the option, its value and what is allowed.
void validate(const ModelOptions& options);

}  // namespace rune::model
