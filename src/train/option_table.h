#pragma once

#include <limits>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "train/option_text.h"
#include "train/schedule.h"

/// The table of all options of a run: name, limits and a few words on each. Reading, writing and checking a
/// configuration walk over it.
namespace rune::train {

/// What a number may be. The number of a period is its value.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  bool low_allowed = true;
  double high = std::numeric_limits<double>::infinity();
  bool high_allowed = true;
};
inline constexpr Limits kAny{};
inline constexpr Limits kPositive{.low = 0, .low_allowed = false};
inline constexpr Limits kNotNegative{.low = 0};
inline constexpr Limits kAtLeastOne{.low = 1};
inline constexpr Limits kBelowOne{.low = 0, .high = 1, .high_allowed = false};

// A visitor is called as visit(name, value, limits, comment). Model options have their limits in model::validate.

template <class Model, class Visitor>
void visit_model_options(Model& model, Visitor&& visit) {
  visit("cell", model.cell, kAny, list_names<Cell>());
  visit("nonlinearity", model.nonlinearity, kAny, list_names<Nonlinearity>() + "; rnn only");
  visit("layers", model.layers, kAny, "");
  visit("hidden_size", model.hidden_size, kAny, "units in a layer");
  visit("embedding", model.embedding, kAny, "its size; 0: one-hot input");
  visit("dropout", model.dropout, kAny, "probability, between the layers");
  visit("output_dropout", model.output_dropout, kAny, "probability, before the projection");
  visit("locked_dropout", model.locked_dropout, kAny, "one mask for all steps of a batch");
  visit("weight_drop", model.weight_drop, kAny, "probability, of the weights of recurrent matrices");
  visit("init", model.init, kAny, list_names<Initialization>());
  visit("forget_bias", model.forget_bias, kAny, "where the forget gate's bias starts; lstm only");
}

// What a model remembers of its text's options stands in the same table as the rest.
template <class Text, class Visitor>
void visit_text_options(Text& text, Visitor&& visit) {
  auto& form = text.form;
  visit("unit", form.unit, kAny, list_names<Unit>() + ": what a token stands for");
  visit("encoding", text.encoding, kAny, "as ICU names it; auto: detected");
  visit("on_invalid", text.on_invalid, kAny, list_names<OnInvalid>() + ": what bytes that are no character do");
  visit("include", text.include, kAny, "of directories and archives: files whose name matches; empty: all");
  visit("raw", form.raw, kAny, "keep CR, CR LF and NEL, which are newlines otherwise");
  visit("normalize", form.normalize, kAny, list_names<Normalization>() + ": Unicode's normal form");
  visit("first_characters", text.first_characters, kNotNegative, "only so many from the start; 0: all");
  visit("lowercase", form.lowercase, kAny, "");
  visit("fold_case", form.fold_case, kAny, "Unicode's case folding");
  visit("alphabet", text.alphabet, kAny, list_names<Alphabet>());
  visit("min_frequency", text.min_frequency, kAtLeastOne, "units seen less often become <unk>");
  visit("coverage", text.coverage, (Limits{.low = 0, .low_allowed = false, .high = 1}),
        "share of the text that the alphabet's units make up; the rest becomes <unk>");
  visit("max_vocabulary", text.max_vocabulary, kNotNegative, "greatest number of units; 0: any");
  visit("unknown_symbol", text.unknown_symbol, kAny, "have <unk> for units of other texts");
  visit("padding_symbol", text.padding_symbol, kAny, "have <pad>, which stands for nothing");
  visit("documents", form.documents, kAny, "<EOS> after every file of a running text");
  visit("records", form.records, kAny, list_names<Records>());
  visit("separator", form.separator, kAny, "records = separator: the line between two");
  visit("column", form.column, kNotNegative, "records = csv, tsv: counted from 0");
  visit("field", form.field, kAny, "records = jsonl: the field; csv, tsv: the column's name in the first row");
  visit("first_record", text.first_record, kNotNegative, "counted from 0");
  visit("max_records", text.max_records, kNotNegative, "0: all");
  visit("max_length", text.max_length, kNotNegative, "longer records are left out; 0: none");
  visit("skip_records", text.skip_records, kAny, "a regular expression; empty: none");
  visit("validation_fraction", text.validation_fraction, kBelowOne, "of characters, records or windows; 0: none");
  visit("validation_characters", text.validation_characters, kNotNegative, "instead, at the end of the text");
  visit("validation_windows", text.validation_windows, kNotNegative, "instead, where windows are split");
  visit("validation_split", text.validation_split, kAny, list_names<ValidationSplit>());
}

template <class Train, class Visitor>
void visit_train_options(Train& train, Visitor&& visit) {
  visit("batching", train.batching, kAny, list_names<Batching>());
  visit("batch_size", train.batch_size, kAtLeastOne, "streams, windows or records side by side");
  visit("sequence_length", train.sequence_length, kAtLeastOne, "characters of each in a step");
  visit("sequence_lengths", train.sequence_lengths, kAny, list_names<SequenceLengths>() + "; streams only");
  visit("reset_state", train.reset_state, kAny, list_names<ResetState>() + "; streams only");
  visit("sequence_doubling", train.sequence_doubling, kNotNegative, "streams: twice as long from here on; 0: never");
  visit("random_offsets", train.random_offsets, kAny, "streams: begin every epoch at another place");
  visit("output_bias", train.output_bias, kAny, list_names<OutputBias>() + ": how the projection's bias starts");
  visit("stride", train.stride, kNotNegative, "from a window to the next; 0: sequence_length");
  visit("partial_window", train.partial_window, kAny, "also the one that the text's end cuts short");
  visit("loss_on", train.loss_on, kAny, list_names<LossOn>() + " steps of a window");
  visit("shuffle", train.shuffle, kAny, "windows, records: a new order in every epoch");
  visit("reduction", train.reduction, kAny, list_names<Reduction>() + " of a batch's losses");
  visit("clip_norm", train.clip_norm, kNotNegative, "longest gradient; 0: no limit");
  visit("duration", train.duration, kPositive, "500 steps, 20e epochs, 10m minutes");
  visit("eval_every", train.eval_every, kPositive, "as duration");
  visit("save_every", train.save_every, kPositive, "as duration");
  visit("save_cycles", train.save_cycles, kAny, "restarts: keep the weights of every cycle's end");
  visit("keep", train.keep, kNotNegative, "checkpoints older than the last one");
  visit("on_divergence", train.on_divergence, kAny, list_names<OnDivergence>());
  visit("protocol", train.protocol, kAny, "evaluation: rows:N, stream, windows:N, batches");
  visit("precision", train.precision, kAny, list_names<Precision>() + ": factors of the matrix products");
  visit("seed", train.seed, (Limits{.low = 0, .high = 0x1p63, .high_allowed = false}), "");
  visit("threads", train.threads, kNotNegative, "0: one for each processor");
}

template <class Train, class Visitor>
void visit_sample_options(Train& train, Visitor&& visit) {
  auto& sample = train.sample;
  visit("length", sample.length, kNotNegative, "characters written at an evaluation; 0: none");
  visit("prompt", sample.prompt, kAny, "");
  visit("temperature", sample.temperature, kNotNegative, "0: the most probable character");
  visit("start_twice", sample.start_twice, kAny, "read the prompt's last character twice");
  visit("window", sample.window, kNotNegative, "predict from so many characters alone; 0: from all");
  visit("window_state", sample.window_state, kAny, list_names<WindowState>() + ": where a window starts");
}

template <class Train, class Visitor>
void visit_optimizer_options(Train& train, Visitor&& visit) {
  auto& optimizer = train.optimizer;
  visit("kind", optimizer.kind, kAny, list_names<OptimizerKind>());
  visit("learning_rate", optimizer.learning_rate, kPositive, "");
  visit("schedule", train.schedule, kAny, list_names<ScheduleKind>() + " with their values");
  visit("warmup", train.schedule.warmup, kNotNegative, "steps or epochs of linear rise; 0: none");
  visit("ema_decay", train.ema_decay, kBelowOne, "averaging of weights: what a step leaves of it; 0: none");
  visit("beta1", optimizer.beta1, kBelowOne, "adam, adamw");
  visit("beta2", optimizer.beta2, kBelowOne, "adam, adamw");
  visit("eps", optimizer.eps, kNotNegative, "adam, adamw, rmsprop");
  visit("weight_decay", optimizer.weight_decay, kNotNegative, "adamw: decoupled; else added to the gradient");
  visit("momentum", optimizer.momentum, kBelowOne, "sgd, rmsprop");
  visit("nesterov", optimizer.nesterov, kAny, "sgd");
  visit("alpha", optimizer.alpha, kBelowOne, "rmsprop");
}

}  // namespace rune::train
