#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a user may choose, with the one place where each default stands.
///
/// Every layer, the recipes (TOML), the command line and the checkpoints use these aggregates and these names.
/// Where PyTorch has a name and a default, they are PyTorch's. This header uses the standard library alone.
namespace rune {

/// PyTorch's recurrent cells, and two with an inner layer; e is what a layer sees, h its state.
enum class Cell {
  rnn,
  gru,
  lstm,
  loop,         ///< u = h + relu(W_ih e + b_ih), h = tanh(W_hh u + b_hh)
  loop_concat,  ///< u = relu(W_ih e + W_uh h + b_ih), h = tanh(W_hh u + b_hh)
};
enum class Nonlinearity { tanh, relu };

/// How the parameters of the recurrent layers start. The embedding is always N(0,1), the projection U(+-1/sqrt(H)).
enum class Initialization {
  uniform,     ///< PyTorch's default: U(+-1/sqrt(H)); loop cells, as nn.Linear: U(+-1/sqrt(inputs))
  orthogonal,  ///< every gate's recurrent matrix orthogonal (arXiv 1312.6120), the rest uniform
  identity,    ///< W_hh = identity (arXiv 1504.00941), the rest uniform; `rnn`, `loop` and `loop_concat` only
};

/// The shape of a model.
struct ModelOptions {
  Cell cell = Cell::lstm;
  Nonlinearity nonlinearity = Nonlinearity::tanh;  ///< `rnn` only
  int layers = 2;
  int hidden_size = 256;
  int embedding = 0;                      ///< embedding size; 0: one-hot input
  float dropout = 0;                      ///< probability of zeroing, between the recurrent layers
  std::optional<float> output_dropout{};  ///< before the projection; unset: as `dropout`
  Initialization init = Initialization::uniform;
  std::optional<float> forget_bias{};  ///< LSTM: the forget gate's bias (b_ih + b_hh) starts at this value

  bool operator==(const ModelOptions&) const = default;
};

/// A stretch of training: bare numbers are steps, `2e` epochs, `10m` minutes.
struct Period {
  enum class Unit { steps, epochs, minutes };
  double value = 0;
  Unit unit = Unit::steps;

  bool operator==(const Period&) const = default;
};

enum class OptimizerKind { adam, adamw, sgd, rmsprop };

/// PyTorch's optimisers, names and defaults.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;
  double learning_rate = 1e-3;
  double beta1 = 0.9;    ///< adam, adamw
  double beta2 = 0.999;  ///< adam, adamw
  double eps = 1e-8;     ///< adam, adamw, rmsprop
  std::optional<double>
      weight_decay{};     ///< coupled L2 (adam, sgd, rmsprop; default 0) or decoupled (adamw; default 0.01)
  double momentum = 0;    ///< sgd, rmsprop
  bool nesterov = false;  ///< sgd
  double alpha = 0.99;    ///< rmsprop

  bool operator==(const OptimizerOptions&) const = default;
};

enum class ScheduleKind { constant, step, exponential, cosine, restarts, stages };

/// The learning rate as a function of the step alone, so that a resumed run needs no state for it.
struct ScheduleOptions {
  struct Stage {
    double learning_rate = 0;
    Period length{};
    bool operator==(const Stage&) const = default;
  };
  ScheduleKind kind = ScheduleKind::constant;
  Period period{1, Period::Unit::epochs};  ///< step, exponential: how often; restarts: the first cycle
  double factor = 0.1;                     ///< step, exponential: multiplied in at every period (PyTorch's gamma)
  double cycle_multiplier = 1;     ///< restarts: each cycle is this many times as long as the last (PyTorch's T_mult)
  double final_learning_rate = 0;  ///< cosine, restarts: where a cycle ends (PyTorch's eta_min)
  std::vector<Stage> stages{};     ///< stages: the last one goes on until the end
  Period warmup{};                 ///< linear, in front of any of them; 0: none

  bool operator==(const ScheduleOptions&) const = default;
};

/// How a loss over a text is measured. See docs/evaluation.md.
struct Protocol {
  enum class Kind { rows, stream, windows };
  Kind kind = Kind::stream;
  int size = 0;  ///< rows: number of rows; windows: characters of a window

  bool operator==(const Protocol&) const = default;
};

/// How a model is trained on a text.
struct TrainOptions {
  int batch_size = 64;
  int sequence_length = 100;
  double validation_fraction = 0.1;  ///< the tail of the text; 0: no validation
  OptimizerOptions optimizer{};
  ScheduleOptions schedule{};
  double clip_norm = 5;  ///< gradient norm above which gradients are scaled down; 0: never
  Period duration{10, Period::Unit::minutes};
  Period eval_every{1, Period::Unit::epochs};
  Period save_every{10, Period::Unit::minutes};
  std::optional<Protocol>
      protocol{};  ///< evaluation while training; unset: rows:<batch_size>, stream if the split is too short for it
  int sample_length = 200;  ///< characters written at every evaluation; 0: none
  double sample_temperature = 0.8;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: one for each processor this process may use

  bool operator==(const TrainOptions&) const = default;
};

/// How text is drawn from a model.
struct SampleOptions {
  float temperature = 1;  ///< logits are divided by it; 0: the most probable character
  int top_k = 0;          ///< keep the k most probable; 0: all
  float top_p = 1;        ///< keep the smallest set whose probability reaches p; 1: all
  std::uint64_t seed = 1;
  std::string stop{};  ///< end after this text has been written; empty: never

  bool operator==(const SampleOptions&) const = default;
};

}  // namespace rune
