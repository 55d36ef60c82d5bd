#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "rune/options.h"
#include "text/batcher.h"

namespace rune::test {

/// The recurrent cells as a user can choose them.
struct CellCase {
  const char* name;
  Cell cell;
  Nonlinearity nonlinearity;
};
inline constexpr std::array kCellCases{
    CellCase{"rnn_tanh", Cell::rnn, Nonlinearity::tanh}, CellCase{"rnn_relu", Cell::rnn, Nonlinearity::relu},
    CellCase{"gru", Cell::gru, Nonlinearity::tanh},      CellCase{"lstm", Cell::lstm, Nonlinearity::tanh},
    CellCase{"loop", Cell::loop, Nonlinearity::tanh},    CellCase{"loop_concat", Cell::loop_concat, Nonlinearity::tanh},
    CellCase{"mingru", Cell::mingru, Nonlinearity::tanh}};

ModelOptions model_options(const CellCase& cell, int layers, int hidden_size, int embedding);
/// "gru_2_layers_embedding", "gru_2_layers_one_hot".
std::string case_name(const CellCase& cell, int layers, int embedding);

/// A block of random tokens that owns them. A function of its arguments alone.
class RandomBlock {
 public:
  RandomBlock(int vocabulary_size, int sequence_length, int batch_size, std::uint64_t seed);

  void mask_target(int index) { targets_[static_cast<std::size_t>(index)] = -1; }
  /// Valid as long as this object.
  [[nodiscard]] text::TokenBlock block() const { return part(0, sequence_length_); }
  /// Steps [begin, end) of the block.
  [[nodiscard]] text::TokenBlock part(int begin, int end) const;

 private:
  int sequence_length_;
  int batch_size_;
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

}  // namespace rune::test
