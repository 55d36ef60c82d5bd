#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "advice.h"
#include "command.h"
#include "command_line.h"
#include "model/model.h"
#include "model_summary.h"
#include "output.h"
#include "stop_signal.h"
#include "text/corpus.h"
#include "train/run_directory.h"
#include "train/train_options.h"
#include "training.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::vector<std::string> texts;
  std::string run;
  ModelOptions model;
  TrainOptions train;
  std::string precision = "f32";
  TrainingDisplay::Options display;
};

void add_model_options(CommandLine& line, ModelOptions& model) {
  line.group("Model");
  line.option(
      "--cell", "NAME", model.cell,
      "The recurrent cell: " + train::list_names<Cell>() +
          ". lstm remembers best, gru is a quarter smaller; loop and loop_concat are rnns behind a relu layer.");
  line.option("--nonlinearity", "NAME", model.nonlinearity, "Of cell rnn: " + train::list_names<Nonlinearity>() + ".");
  line.option("--layers", "N", model.layers, "Recurrent layers, one above the other. 2 or 3 are usual.");
  line.option("--hidden-size", "N", model.hidden_size, "Units in a layer. Larger learns more and slower.");
  line.option("--embedding", "N", model.embedding, "Size of a learned vector for each character; 0: one-hot input.");
  line.option(
      "--dropout", "P", model.dropout,
      "Probability of leaving a unit out between layers while training, against learning by heart: 0.2 to 0.5.");
  line.option("--output-dropout", "P", model.output_dropout, "The same before the projection. [as --dropout]");
  line.option("--init", "NAME", model.init,
              "How recurrent weights start: " + train::list_names<Initialization>() +
                  " (identity: cells rnn, loop, loop_concat).");
  line.option("--forget-bias", "X", model.forget_bias,
              "Of cell lstm: where the forget gate's bias starts; 1 makes it remember at first. [random]");
}

void add_training_options(CommandLine& line, TrainOptions& train, DurationFlags& duration) {
  line.group("Training");
  line.option("--batch-size", "N", train.batch_size, "Streams of text that are learned side by side.");
  line.option("--sequence-length", "N", train.sequence_length,
              "Characters of each stream in a step: how far back an error is followed.");
  line.option("--epochs", "N", duration.epochs, "Walks over the text.");
  line.option("--steps", "N", duration.steps, "Or the number of steps.");
  line.option("--minutes", "M", duration.minutes, "Or the time, turned into steps after a first measurement. [10]");
  line.option("--clip-norm", "X", train.clip_norm, "Scale gradients down to this norm; 0: never.");
  line.option("--seed", "N", train.seed, "Decides first weights, dropout and samples.");
  line.option("--threads", "N", train.threads, "Threads; 0: one for each processor. The result does not depend on it.");
  line.exclusive({"--epochs", "--steps", "--minutes"});
}

void add_optimizer_options(CommandLine& line, TrainOptions& train) {
  OptimizerOptions& optimizer = train.optimizer;
  line.group("Optimiser (names, formulas and defaults are PyTorch's)");
  line.option("--optimizer", "NAME", optimizer.kind, train::list_names<OptimizerKind>() + ".");
  line.option("--lr", "X", optimizer.learning_rate,
              "Learning rate. Too high sticks or diverges, too low crawls: try several.");
  line.option("--beta1", "X", optimizer.beta1, "adam, adamw: decay of the mean.");
  line.option("--beta2", "X", optimizer.beta2, "adam, adamw: decay of the mean square.");
  line.option("--eps", "X", optimizer.eps, "adam, adamw, rmsprop: added to the divisor.");
  line.option("--momentum", "X", optimizer.momentum, "sgd, rmsprop.");
  line.flag("--nesterov", optimizer.nesterov, "sgd: Nesterov's momentum.");
  line.option("--alpha", "X", optimizer.alpha, "rmsprop: decay of the mean square.");
  line.option("--weight-decay", "X", optimizer.weight_decay,
              "L2 penalty; adamw: decoupled from the gradient. [0; adamw 0.01]");
  line.option(
      "--schedule", "FORM", train.schedule,
      fmt::format("The learning rate over time: {} (a PERIOD is 500 steps or 2e epochs).", train::kScheduleForms));
  line.option("--warmup", "PERIOD", train.schedule.warmup,
              "Linear rise of the learning rate in front of any schedule.");
}

void add_observation_options(CommandLine& line, Request& request) {
  TrainOptions& train = request.train;
  line.group("Watching and saving (a PERIOD is 500 steps, 2e epochs or 10m minutes)");
  line.option("--validation-fraction", "P", train.validation_fraction,
              "The tail of the text, kept apart to measure on; 0: none.");
  line.option("--eval-every", "PERIOD", train.eval_every, "How often to measure, report and write a sample.");
  line.option("--save-every", "PERIOD", train.save_every,
              "How often to save a checkpoint, besides the best and the last.");
  line.option("--protocol", "NAME", train.protocol,
              "How to measure: rows:N, stream or windows:N. [rows with the batch size]");
  line.option("--sample-length", "N", train.sample_length, "Characters written at every evaluation; 0: none.");
  line.option("--sample-temperature", "X", train.sample_temperature, "Their temperature.");
  line.option("--precision", "NAME", request.precision, "Arithmetic of the matrix products: f32.");
  add_display_options(line, request.display);
}

// False: help was asked for.
bool parse(int argc, const char* const* argv, Request& request) {
  DurationFlags duration;
  CommandLine line("train", "TEXT... [-o RUN] [OPTION...]",
                   "Learns from UTF-8 text, one file or several, and keeps everything in a run directory: config.toml, "
                   "metrics.jsonl, samples.txt, "
                   "log.txt, best.safetensors (lowest validation loss) and last.safetensors (to resume from). Ctrl-C "
                   "once stops and saves.");
  line.operands("TEXT", request.texts, "The files to learn from, in this order.");
  line.group("Run");
  line.option("-o,--output", "RUN", request.run, "The run directory, which must not exist. [runs/<text>-<number>]");
  add_model_options(line, request.model);
  add_training_options(line, request.train, duration);
  add_optimizer_options(line, request.train);
  add_observation_options(line, request);
  line.example("rune train book.txt", "ten minutes with the defaults");
  line.example("rune train book.txt -o runs/big --hidden-size 512 --dropout 0.5 --batch-size 128 --epochs 20",
               "a good model of a novel");
  line.example("rune train book.txt --cell gru --lr 2e-3 --schedule cosine --warmup 200 --steps 5000",
               "a rate that rises, then falls");
  if (!line.parse(argc, argv)) return false;

  if (request.precision != "f32") {
    throw UsageError(
        fmt::format("expected f32 in --precision, the only one there is so far, found '{}'", request.precision));
  }
  request.train.duration = duration.period().value_or(request.train.duration);
  try {
    model::validate(request.model);
    train::validate(request.train);
  } catch (const InputError& error) {
    throw UsageError(error.what());
  }
  return true;
}

// runs/<text>-<n> with the first n that is free.
std::string free_run_name(const std::string& text) {
  const std::string stem = fs::path(text).stem().string();
  for (int n = 1;; ++n) {
    const fs::path path = fs::path("runs") / fmt::format("{}-{}", stem, n);
    if (!fs::exists(path)) return path.string();
  }
}

std::string summary(const Request& request, const text::Corpus& corpus, const model::Network& network) {
  const auto training = std::ssize(corpus.train);
  const auto validation = std::ssize(corpus.validation);
  std::string text = fmt::format("Text: {} characters, {} of them for validation; alphabet of {}\n\n",
                                 with_commas(training + validation), with_commas(validation), corpus.vocabulary.size());
  text += layer_table(network);
  text += fmt::format("\nMemory: about {}\n", as_bytes(training_memory(network, request.train, training + validation)));
  text += advice_before(network.parameters().count(), training, validation);
  return text + fmt::format("Run directory: {}\n\n", request.run);
}

// A training that does not fit its text leaves no run directory behind.
train::Trainer new_trainer(model::Model model, text::Corpus corpus, const TrainOptions& options,
                           train::RunDirectory& run) {
  try {
    return {std::move(model), std::move(corpus), options, &run};
  } catch (const InputError&) {
    fs::remove_all(run.path());
    throw;
  }
}

}  // namespace

int train(int argc, const char* const* argv) {
  Request request;
  if (!parse(argc, argv, request)) return success;
  if (request.run.empty()) request.run = free_run_name(request.texts.front());

  const std::vector<fs::path> paths(request.texts.begin(), request.texts.end());
  auto corpus = text::Corpus::from_text(text::read_text(paths), request.train.validation_fraction);
  model::Model model = model::new_model(request.model, corpus.vocabulary, request.train.seed);
  if (!request.display.quiet) message(summary(request, corpus, model.network));

  const StopSignal stop_signal;
  auto run = train::RunDirectory::create(request.run, {paths, request.model, request.train});
  auto trainer = new_trainer(std::move(model), std::move(corpus), request.train, run);
  return run_training(trainer, request.run, request.display);
}

}  // namespace rune::app
