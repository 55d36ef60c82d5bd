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

/// PyTorch's recurrent cells, two with an inner layer, and one whose gates see no state; e is what a layer sees, h its
/// state.
enum class Cell {
  rnn,
  gru,
  lstm,
  loop,         ///< u = h + relu(W_ih e + b_ih), h = tanh(W_hh u + b_hh)
  loop_concat,  ///< u = relu(W_ih e + W_uh h + b_ih), h = tanh(W_hh u + b_hh)
  mingru,       ///< z, c = W_ih e + b_ih, h = (1 - sigmoid(z)) h + sigmoid(z) g(c) (arXiv 2410.01201)
};
enum class Nonlinearity { tanh, relu };

/// How the parameters of the recurrent layers start. The embedding is always N(0,1), the projection U(+-1/sqrt(H)).
enum class Initialization {
  uniform,     ///< PyTorch's default: U(+-1/sqrt(H)); the other cells, as nn.Linear: U(+-1/sqrt(inputs))
  orthogonal,  ///< every gate's recurrent matrix orthogonal (arXiv 1312.6120), the rest uniform
  identity,    ///< W_hh = identity (arXiv 1504.00941), the rest uniform; `rnn`, `loop` and `loop_concat` only
};

/// What the factors of matrix products are rounded to. Sums, states, parameters, optimiser and loss are f32 in both.
enum class Precision {
  f32,
  bf16,       ///< faster on most processors that multiply it; its gradients agree with f32 to about 2e-2
  automatic,  ///< bf16 where the processor is faster with it, else f32
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
  bool locked_dropout = false;            ///< one mask for all steps of a block (arXiv 1512.05287)
  float weight_drop = 0;                  ///< probability of zeroing a weight of W_hh for a step (arXiv 1708.02182)
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

enum class ScheduleKind { constant, step, exponential, cosine, restarts, stages, wsd };

/// How the rate of warm-up, stable, decay falls to 0.
enum class DecayShape {
  linear,  ///< by the share of the decay that is over
  sqrt,    ///< by the root of that share: fast at first (arXiv 2405.18392)
};

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
  Period slow_start{};             ///< restarts: steps at a hundredth of the rate, part of the first cycle; 0: none
  std::vector<Stage> stages{};     ///< stages: the last one goes on until the end
  double decay_fraction = 0.2;     ///< wsd (arXiv 2404.06395): share of the whole in which the rate falls to 0
  DecayShape decay_shape = DecayShape::linear;  ///< wsd
  Period warmup{};                              ///< linear, in front of any of them; 0: none
  Period length{};                              ///< how long, where another one comes after it
  std::vector<ScheduleOptions> then{};          ///< what follows, each for its length, the last one until the end

  bool operator==(const ScheduleOptions&) const = default;
};

/// How a loss over a text is measured. See docs/evaluation.md.
struct Protocol {
  enum class Kind {
    rows,     ///< parallel streams, as system A trains
    stream,   ///< one carried state over the whole text
    windows,  ///< windows next to each other, each without a past
    batches,  ///< in the same batches as training
  };
  Kind kind = Kind::stream;
  int size = 0;  ///< rows: number of rows; windows: characters of a window

  bool operator==(const Protocol&) const = default;
};

/// Which characters a model knows.
enum class Alphabet {
  text,       ///< those of the text, sorted
  printable,  ///< the 100 of Python's string.printable, in its order
};

/// What a token stands for.
enum class Unit {
  character,  ///< a Unicode code point
  grapheme,   ///< what a reader sees as one character
  byte,       ///< of the text's UTF-8
  word,       ///< as Unicode and its dictionaries cut words; spaces and punctuation are units too
};

/// Unicode's normal forms.
enum class Normalization { none, nfc, nfkc };

/// What bytes that are no character in the text's encoding do.
enum class OnInvalid {
  error,    ///< stop, naming the byte
  replace,  ///< become U+FFFD
  bytes,    ///< stay as they are, each a unit of its own
};

/// What a text is made of.
enum class Records {
  none,        ///< one running text
  lines,       ///< a record is a line
  csv,         ///< a record is a field of a row, RFC 4180
  separator,   ///< records stand between lines that hold a separator alone
  tsv,         ///< a record is a field of a line, between tabs
  jsonl,       ///< a record is a field of the JSON object that stands on a line
  paragraphs,  ///< records stand between empty lines
  files,       ///< a record is a file
};

/// How a text is read. A model remembers it, so that prompts and measured texts are read as it learned to.
struct TextForm {
  Unit unit = Unit::character;
  bool lowercase = false;  ///< as Python's str.lower()
  bool fold_case = false;  ///< Unicode's case folding: lower case, and more that differs in case alone (ss for ß)
  Normalization normalize = Normalization::none;
  bool raw = false;        ///< keep CR, CR LF and NEL, which are newlines otherwise
  bool documents = false;  ///< <EOS> after every file of a running text
  Records records = Records::none;
  std::string separator = "%";  ///< records: separator
  int column = 0;               ///< records: csv, tsv; from 0
  std::string field{};          ///< records: jsonl; csv, tsv: the column by the name that the first row gives it

  bool operator==(const TextForm&) const = default;
};

/// What is kept apart to measure on.
enum class ValidationSplit {
  tail,            ///< the end of the text, or the last records
  random_windows,  ///< windows drawn at random
  last_windows,    ///< the last windows
  documents,       ///< whole files at the end
};

/// How tokens are made of a text.
struct TextOptions {
  TextForm form{};
  std::string encoding = "auto";            ///< as ICU names it; auto: detected
  OnInvalid on_invalid = OnInvalid::error;  ///< bytes that are no character
  std::string include{};                    ///< of directories and archives: files whose name matches; empty: all
  std::int64_t first_characters = 0;        ///< only so many from the start; 0: all
  Alphabet alphabet = Alphabet::text;
  std::int64_t min_frequency = 1;         ///< units that training sees less often become <unk>
  double coverage = 1;                    ///< the most frequent units that make up this share; the rest become <unk>
  std::int64_t max_vocabulary = 100'000;  ///< at most so many units, the most frequent; the rest become <unk>; 0: all
  bool unknown_symbol = false;            ///< <unk>, also for units that only other texts have
  bool padding_symbol = false;            ///< <pad>, a symbol that stands for nothing
  std::int64_t first_record = 0;          ///< records before it are left out
  std::int64_t max_records = 0;           ///< 0: all
  int max_length = 0;                     ///< longer records are left out; 0: none
  std::string skip_records{};             ///< records that this regular expression matches as a whole are left out
  double validation_fraction = 0.1;       ///< of characters, records or windows; 0: no validation
  std::optional<std::int64_t> validation_characters{};  ///< instead of the fraction, where the split is the tail
  std::optional<std::int64_t> validation_windows{};     ///< instead of the fraction, where windows are split
  ValidationSplit validation_split = ValidationSplit::tail;

  bool operator==(const TextOptions&) const = default;
};

/// What a training step sees.
enum class Batching {
  streams,  ///< parallel streams whose state is carried from step to step
  windows,  ///< windows of a text, each from a zero state
  records,  ///< whole records of similar length, each from a zero state
};

enum class SequenceLengths {
  fixed,
  random,  ///< a new length for every batch (arXiv 1708.02182)
};

/// How the bias of the projection starts.
enum class OutputBias {
  uniform,      ///< as PyTorch's nn.Linear
  frequencies,  ///< log frequencies of the units in the training text, so that the first guess is theirs
};

/// Where the carried state of streams becomes zero.
enum class ResetState {
  epoch,       ///< at the start of every epoch and of every validation
  validation,  ///< at the start of training and of every validation
  document,    ///< at the start of every document
  never,       ///< at the start of training alone: validation goes on with it and leaves it changed
};

/// Which steps of a window have a loss.
enum class LossOn { all, last };

/// How the losses of a batch become the one whose gradient is taken.
enum class Reduction { mean, sum };

/// Where the state of a sliding window starts.
enum class WindowState {
  zero,   ///< anew for every character
  carry,  ///< where the window before it ended, so that characters are read several times
};

/// What happens when loss or gradients stop being finite.
enum class OnDivergence {
  rollback,  ///< also when the loss explodes: back to the last good checkpoint with half the learning rate, thrice
  stop,      ///< the training ends
};

/// How samples are drawn while training.
struct TrainSampleOptions {
  int length = 200;  ///< characters written at every evaluation; 0: none
  std::string prompt{};
  double temperature = 0.8;
  // As in SampleOptions:
  bool start_twice = false;
  int window = 0;
  WindowState window_state = WindowState::zero;

  bool operator==(const TrainSampleOptions&) const = default;
};

/// How a model is trained on a text.
struct TrainOptions {
  Batching batching = Batching::streams;
  int batch_size = 64;
  int sequence_length = 100;                                  ///< streams, windows; records: the longest there is
  SequenceLengths sequence_lengths = SequenceLengths::fixed;  ///< streams
  ResetState reset_state = ResetState::epoch;                 ///< streams
  Period sequence_doubling{};   ///< streams: when sequences become twice as long, in steps or epochs; 0: never
  bool random_offsets = false;  ///< streams: begin every epoch at another place of the text, taken as a ring
  OutputBias output_bias = OutputBias::uniform;  ///< of new weights
  int stride = 0;                                ///< windows: characters from one to the next; 0: the sequence length
  bool partial_window = true;                    ///< windows: also the one that the end of the text cuts short
  LossOn loss_on = LossOn::all;                  ///< windows
  bool shuffle = false;                          ///< windows, records: a new order in every epoch
  Reduction reduction = Reduction::mean;
  OptimizerOptions optimizer{};
  ScheduleOptions schedule{};
  double ema_decay = 0;  ///< averaging of weights (arXiv 2411.18704): what is measured and kept is their exponential
                         ///< moving average, of which a step leaves this share; 0: none
  double clip_norm = 5;  ///< gradient norm above which gradients are scaled down; 0: never
  Period duration{10, Period::Unit::minutes};
  Period eval_every{1, Period::Unit::epochs};
  Period save_every{10, Period::Unit::minutes};
  bool save_cycles = false;                             ///< restarts: keep the weights of every cycle's end
  int keep = 1;                                         ///< checkpoints kept that are older than the last one
  OnDivergence on_divergence = OnDivergence::rollback;  ///< without a run directory always `stop`
  std::optional<Protocol> protocol{};                   ///< evaluation while training; unset: see docs/evaluation.md
  TrainSampleOptions sample{};
  Precision precision = Precision::f32;
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
  bool unknown = false;      ///< may write <unk>
  std::string stop{};        ///< end after this text has been written; empty: never
  bool start_twice = false;  ///< feed the prompt's last character twice, as the Holmes notebook does
  int window = 0;            ///< predict from the last so many characters alone; 0: from the carried state
  WindowState window_state = WindowState::zero;  ///< window: where its state starts
  int threads = 0;  ///< 0: one for each processor where the model is large; the text is the same with any number

  bool operator==(const SampleOptions&) const = default;
};

}  // namespace rune
