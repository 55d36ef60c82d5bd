#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "advice.h"
#include "command.h"
#include "command_line.h"
#include "input.h"
#include "model/alphabet.h"
#include "model_summary.h"
#include "output.h"
#include "reading_notes.h"
#include "stop_signal.h"
#include "text/corpus.h"
#include "text/source.h"
#include "text_flags.h"
#include "tools/plan.h"
#include "train/fit.h"
#include "train/recipe.h"
#include "train/run_directory.h"
#include "train/train_options.h"
#include "training.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardInput = "-";

struct Request {
  std::vector<std::string> texts;
  std::vector<std::string> validation;
  std::string run;
  std::string recipe;
  std::string from;
  TextOptions text;
  bool validation_asked = false;  // --validation-fraction was given
  ModelOptions model;
  tools::Shape shape;  // of the model, as far as it was given
  TrainOptions train;
  TrainingDisplay::Options display;
  WatchFlags watch;
  int argc = 0;  // the command line
  const char* const* argv = nullptr;
  text::Cache cache = text::Cache::automatic;

  [[nodiscard]] train::RunConfig config() const {
    return {{texts.begin(), texts.end()}, {validation.begin(), validation.end()}, from, text, model, train};
  }
};

void add_text_options(CommandLine& line, TextOptions& text, std::vector<std::string>& validation,
                      std::optional<double>& validation_fraction) {
  line.group("Text");
  add_reading_options(line, text);
  add_unit_options(line, text);
  line.group("Validation");
  line.option("--validation", "FILE", validation,
              "Measure on this text instead of a part of TEXT; may be given several times.");
  line.option("--validation-fraction", "P", validation_fraction,
              fmt::format("The part that is kept to measure on: the tail of the text, unless --validation-split says "
                          "otherwise; 0: none. [{}, and of a large text at most 2,000,000 characters]",
                          text.validation_fraction));
  line.option("--validation-characters", "N", text.validation_characters, "Or so many characters at its end.");
  line.option("--validation-windows", "N", text.validation_windows, "Or so many windows, where windows are split.");
  line.option("--validation-split", "NAME", text.validation_split,
              train::list_names<ValidationSplit>() + "; windows with --batching windows; documents: whole files.");
  line.group("Records");
  add_record_options(line, text);
  line.exclusive({"--validation", "--validation-fraction", "--validation-characters", "--validation-windows"});
}

void add_model_options(CommandLine& line, ModelOptions& model, OutputBias& output_bias) {
  line.group("Model");
  line.option(
      "--cell", "NAME", model.cell,
      "The recurrent cell: " + train::list_names<Cell>() +
          ". lstm remembers best, gru is a quarter smaller; loop and loop_concat are rnns behind a relu layer; mingru "
          "has no recurrent matrix.");
  line.option("--nonlinearity", "NAME", model.nonlinearity, "Of cell rnn: " + train::list_names<Nonlinearity>() + ".");
  line.option("--layers", "N", model.layers, "Recurrent layers, one above the other. 2 or 3 are usual.");
  line.option("--hidden-size", "N", model.hidden_size, "Units in a layer. Larger learns more and slower.");
  line.option("--embedding", "N", model.embedding, "Size of a learned vector for each character; 0: one-hot input.");
  line.option(
      "--dropout", "P", model.dropout,
      "Probability of leaving a unit out between layers while training, against learning by heart: 0.2 to 0.5.");
  line.option("--output-dropout", "P", model.output_dropout, "The same before the projection. [as --dropout]");
  line.toggle("locked-dropout", model.locked_dropout,
              "Leave the same units out at all characters of a batch's stream, not others at each.");
  line.option("--weight-drop", "P", model.weight_drop,
              "Probability of leaving a weight of the recurrent matrices out for a step, against learning by heart.");
  line.option("--init", "NAME", model.init,
              "How recurrent weights start: " + train::list_names<Initialization>() +
                  " (identity: cells rnn, loop, loop_concat).");
  line.option("--forget-bias", "X", model.forget_bias,
              "Of cell lstm: where the forget gate's bias starts; 1 makes it remember at first. [random]");
  line.option("--output-bias", "NAME", output_bias,
              "How the projection's bias starts: " + train::list_names<OutputBias>() +
                  "; frequencies: the first guess is how often each character occurs.");
}

void add_training_options(CommandLine& line, TrainOptions& train, DurationFlags& duration) {
  line.group("Training");
  line.option("--batching", "NAME", train.batching,
              train::list_names<Batching>() +
                  ": parallel streams of one text, whose state is carried on; windows, or whole records, each from a "
                  "zero state.");
  line.option("--batch-size", "N", train.batch_size, "Streams, windows or records that are learned side by side.");
  line.option("--sequence-length", "N", train.sequence_length,
              "Characters of each in a step: how far back an error is followed. (Records are as long as they are.)");
  line.option("--sequence-lengths", "NAME", train.sequence_lengths,
              train::list_names<SequenceLengths>() + "; random: a new length around it for every batch of streams.");
  line.option(
      "--reset-state", "NAME", train.reset_state,
      train::list_names<ResetState>() +
          ": where the state of streams becomes zero. validation: not at epochs; document: at each one's start, "
          "with --documents; never: validation goes on with it, too.");
  line.option(
      "--sequence-doubling", "PERIOD", train.sequence_doubling,
      "From here on (500 steps or 2e epochs) sequences of streams are twice as long: short ones learn fast, long "
      "ones what is far apart.");
  line.toggle("random-offsets", train.random_offsets,
              "Begin every epoch of streams at another place of the text, so that it is cut elsewhere each time.");
  line.option("--stride", "N", train.stride, "Characters from a window to the next; 0: the sequence length.");
  line.toggle("partial-window", train.partial_window, "Use the window that the end of the text cuts short.");
  line.option("--loss-on", "NAME", train.loss_on, train::list_names<LossOn>() + " steps of a window.");
  line.toggle("shuffle", train.shuffle, "Windows or records in a new order in every epoch.");
  line.option("--reduction", "NAME", train.reduction,
              train::list_names<Reduction>() + ": which of a batch's losses the gradient is taken of.");
  line.option("--epochs", "N", duration.epochs, "Walks over the text.");
  line.option("--steps", "N", duration.steps, "Or the number of steps.");
  line.option("--minutes", "M", duration.minutes, "Or the time; as many steps as the speed allows. [10]");
  line.option("--clip-norm", "X", train.clip_norm, "Scale gradients down to this norm; 0: never.");
  line.option("--seed", "N", train.seed, "Decides first weights, dropout and samples.");
  line.option("--precision", "NAME", train.precision,
              "What the factors of matrix products are rounded to; sums are f32: " + train::list_names<Precision>() +
                  ". auto: bf16 where the processor is faster with it.");
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
  line.toggle("nesterov", optimizer.nesterov, "sgd: Nesterov's momentum.");
  line.option("--alpha", "X", optimizer.alpha, "rmsprop: decay of the mean square.");
  line.option("--weight-decay", "X", optimizer.weight_decay,
              "L2 penalty; adamw: decoupled from the gradient. [0; adamw 0.01]");
  line.option(
      "--schedule", "FORM", train.schedule,
      fmt::format("The learning rate over time: {} (a PERIOD is 500 steps or 2e epochs).", train::kScheduleForms));
  line.option("--warmup", "PERIOD", train.schedule.warmup,
              "Linear rise of the learning rate in front of any schedule.");
  line.option("--ema-decay", "X", train.ema_decay,
              "Averaging of weights: what is measured, kept as best and writes is a moving average of the weights, of "
              "which a step leaves this share. 0.999 averages over about the last 1000 steps, over fewer while there "
              "are few; 0: none.");
}

void add_observation_options(CommandLine& line, Request& request) {
  TrainOptions& train = request.train;
  line.group("Watching and saving (a PERIOD is 500 steps, 2e epochs or 10m minutes)");
  line.option("--eval-every", "PERIOD", train.eval_every, "How often to measure, report and write a sample.");
  line.option("--save-every", "PERIOD", train.save_every,
              "How often to save a checkpoint, besides the best and the last.");
  line.toggle("save-cycles", train.save_cycles, "Of --schedule restarts: keep the weights of every cycle's end.");
  line.option("--keep", "N", train.keep, "Checkpoints kept beside the last, to fall back to; 0: none.");
  line.option("--on-divergence", "NAME", train.on_divergence,
              train::list_names<OnDivergence>() +
                  ": when the loss explodes or is no number, go back to the last checkpoint with half the learning "
                  "rate, three times at most; or end.");
  line.option("--protocol", "NAME", train.protocol,
              "How to measure: rows:N, stream, windows:N, or batches as in training. [rows with the batch size]");
  line.option("--sample-length", "N", train.sample.length, "Characters written at every evaluation; 0: none.");
  line.option("--sample-prompt", "TEXT", train.sample.prompt, "Their beginning.");
  line.option("--sample-temperature", "X", train.sample.temperature, "Their temperature.");
  line.option("--sample-window", "N", train.sample.window, "As rune sample --window.");
  request.watch.add_to(line);
  add_display_options(line, request.display);
}

// The value of --recipe, which must be known before the other options can override it.
std::string recipe_asked_for(int argc, const char* const* argv) {
  constexpr std::string_view kName = "--recipe";
  std::string recipe;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == kName && i + 1 < argc) recipe = argv[i + 1];
    if (argument.starts_with(kName) && argument.substr(kName.size()).starts_with('=')) {
      recipe = argument.substr(kName.size() + 1);
    }
  }
  return recipe;
}

// The tail of a large text would be measured for minutes at every evaluation: where no size is asked for, it is
// bounded. A byte counts as a character, which the text may have fewer of.
void limit_validation(Request& request) {
  constexpr std::int64_t kEnough = 2'000'000;
  TextOptions& text = request.text;
  const bool asked = !request.recipe.empty() || !request.validation.empty() || request.validation_asked ||
                     text.validation_characters || text.validation_windows;
  if (asked || text.validation_split != ValidationSplit::tail || text.form.records != Records::none) return;
  const std::vector<fs::path> texts(request.texts.begin(), request.texts.end());
  if (text.validation_fraction * static_cast<double>(text::size_of(texts)) > kEnough)
    text.validation_characters = kEnough;
}

// False: help was asked for.
bool parse(int argc, const char* const* argv, Request& request) {
  request.argc = argc;
  request.argv = argv;
  if (const std::string recipe = recipe_asked_for(argc, argv); !recipe.empty()) {
    const train::RunConfig config = train::find_recipe(recipe).config;
    request.text = config.text;
    request.model = config.model;
    request.train = config.train;
  } else {
    request.train.precision = Precision::automatic;
  }
  const TrainOptions before = request.train;
  std::optional<double> validation_fraction;
  DurationFlags duration;
  CommandLine line("train", "TEXT... [-o RUN] [OPTION...]",
                   "Learns from text, one file or several, and keeps everything in a run directory: config.toml, "
                   "metrics.jsonl, samples.txt, "
                   "log.txt, best.safetensors (lowest validation loss) and last.safetensors (to resume from). Ctrl-C "
                   "once stops and saves; the signal USR1 saves and goes on.");
  line.operands("TEXT", request.texts,
                "What to learn from, in this order: files in any encoding, directories, archives, what is compressed; "
                "or - alone: standard input, of which the run keeps a copy.");
  line.group("Run");
  line.option("-o,--output", "RUN", request.run, "The run directory, which must not exist. [runs/<text>-<number>]");
  line.option("--recipe", "NAME", request.recipe,
              "Begin with the options of a recipe (rune recipes lists them) or of a TOML file, which other options "
              "override.");
  line.option(
      "--from", "MODEL", request.from,
      "Begin with the weights of another model, which also decides shape, unit and case. Units of both alphabets "
      "keep what it knows of them.");
  add_text_options(line, request.text, request.validation, validation_fraction);
  add_model_options(line, request.model, request.train.output_bias);
  add_training_options(line, request.train, duration);
  add_optimizer_options(line, request.train);
  add_observation_options(line, request);
  add_cache_option(line, request.cache);
  line.example("rune train book.txt", "ten minutes, with a model and a schedule chosen for them");
  line.example("rune train book.txt --minutes 60", "the same for an hour: a larger model");
  line.example("rune train book.txt --serve", "the same, and a page to watch it learn");
  line.example("rune train book.txt -o runs/big --hidden-size 512 --dropout 0.5 --batch-size 128 --epochs 20",
               "a good model of a novel");
  line.example("rune train book.txt --recipe nietzsche-gru --validation-fraction 0.1 --epochs 20",
               "a recipe, with two options of one's own");
  line.example("rune train book.txt --cell gru --lr 2e-3 --schedule cosine --warmup 200 --steps 5000",
               "a rate that rises, then falls");
  if (!line.parse(argc, argv)) return false;

  if (std::ranges::count(request.texts, kStandardInput) > 0 && request.texts.size() > 1) {
    throw UsageError("expected - (standard input) to be the only TEXT");
  }
  request.train.duration = duration.period().value_or(request.train.duration);
  if (line.given("--cell")) request.shape.cell = request.model.cell;
  if (line.given("--layers")) request.shape.layers = request.model.layers;
  if (line.given("--hidden-size")) request.shape.hidden_size = request.model.hidden_size;
  request.validation_asked = validation_fraction.has_value();
  if (validation_fraction) {
    request.text.validation_fraction = *validation_fraction;
    request.text.validation_characters.reset();
    request.text.validation_windows.reset();
  }
  limit_validation(request);
  if (!request.from.empty()) request.from = train::resolve_model(request.from).string();
  const double rate = request.train.optimizer.learning_rate;
  if (request.train.schedule.kind == ScheduleKind::stages && rate != before.optimizer.learning_rate) {
    throw UsageError(
        fmt::format("expected no --lr beside a schedule whose stages bring their own rates ({}), found {}; "
                    "give another --schedule",
                    train::to_string(request.train.schedule), rate));
  }
  try {
    model::validate(request.model);
    train::validate(request.train);
    train::validate(request.text, request.train);
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

// Of a text that is cut into windows, some of these are for validation.
std::string validation_text(const text::Corpus& corpus) {
  const TextOptions& options = corpus.options;
  if (!corpus.validation.empty() || !text::splits_windows(options))
    return with_commas(std::ssize(corpus.validation)) + " of them";
  if (options.validation_windows) return fmt::format("{} of its windows", with_commas(*options.validation_windows));
  return fmt::format("{:.3g} % of its windows", 100 * options.validation_fraction);
}

// What becomes of the alphabet of the model that training begins with.
std::string alphabet_text(const model::AlphabetChange& change) {
  const auto some = [](std::span<const std::string> entries) {
    constexpr std::size_t kMost = 50;
    const auto first = entries.first(std::min(kMost, entries.size()));
    return fmt::format("{}{}{}{}", with_commas(std::ssize(entries)), entries.empty() ? "" : ": ",
                       in_one_line(fmt::to_string(fmt::join(first, ""))), entries.size() > kMost ? " ..." : "");
  };
  return fmt::format("Alphabet: kept {}\n          new {}\n          dropped {}\n", some(change.kept),
                     some(change.added), some(change.dropped));
}

std::string summary(const Request& request, const TrainOptions& options, const text::Corpus& corpus,
                    const model::Network& network) {
  const auto training = std::ssize(corpus.train);
  const auto validation = std::ssize(corpus.validation);
  std::string text = reading_notes(corpus);
  text += fmt::format("Text: {} {}, {} for validation; alphabet of {}\n", with_commas(training + validation),
                      units_name(corpus.vocabulary.form().unit), validation_text(corpus), corpus.vocabulary.size());
  if (!corpus.train_ends.empty()) {
    text += fmt::format("Records: {}, {} of them for validation\n",
                        with_commas(std::ssize(corpus.train_ends) + std::ssize(corpus.validation_ends)),
                        with_commas(std::ssize(corpus.validation_ends)));
  }
  if (!request.from.empty()) {
    text += alphabet_text(model::compare(model::load_model(request.from).vocabulary, corpus.vocabulary));
  }
  text += '\n';
  text += layer_table(network);
  text += fmt::format("\nMemory: about {}\n", as_bytes(training_memory(network, options, corpus)));
  text += advice_before(network.parameters().count(), training, validation);
  return text + fmt::format("Run directory: {}\n\n", request.run);
}

std::string fit_note(const TrainOptions& asked, const TrainOptions& fitted) {
  if (asked == fitted) return "";
  return fmt::format("The text is short: batch size {} and sequence length {} instead of {} and {}\n",
                     fitted.batch_size, fitted.sequence_length, asked.batch_size, asked.sequence_length);
}

// Nothing but a time is asked for, and perhaps single options, which win over the plan.
bool leaves_choice(const Request& request) {
  return request.recipe.empty() && request.from.empty() && request.train.duration.unit == Period::Unit::minutes &&
         request.train.batching != Batching::windows;
}

// Chooses for the machine, the text and the time what the command line leaves open.
void plan(Request& request, const text::Corpus& corpus) {
  const tools::Machine machine{request.train.threads, request.train.precision};
  const tools::TrainingPlan plan =
      tools::plan_training(request.train.duration.value, machine, tools::size_of(corpus), request.shape);
  Request planned;
  planned.model = plan.model;
  planned.train = plan.train;
  static_cast<void>(parse(request.argc, request.argv, planned));
  request.model = planned.model;
  request.train = planned.train;
  if (request.display.quiet) return;
  std::string text = "Plan (options that you give win):\n";
  for (const auto& [what, why] : plan.choices) text += fmt::format("  {:<36}{}\n", what, why);
  message(text);
}

// Reads the text and makes the model.
train::Trainer new_trainer(Request& request, train::RunDirectory& run) {
  if (request.texts.front() == kStandardInput) keep_standard_input(run.corpus());
  train::RunConfig config = run.read_config();
  const bool quiet = request.display.quiet;
  text::Corpus corpus = train::read_corpus(config, std::nullopt, request.cache, reading_progress(quiet));
  const auto start = std::chrono::steady_clock::now();
  if (leaves_choice(request)) {
    plan(request, corpus);
    config.model = request.model;
    config.train = request.train;
  }
  const TrainOptions options = train::fitted(config.train, corpus);
  model::Model model = train::initial_model(config, corpus);
  if (!quiet) message(fit_note(config.train, options) + summary(request, options, corpus, model.network));
  train::Trainer trainer(std::move(model), std::move(corpus), options, &run);
  trainer.count_seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return trainer;
}

// A training that cannot begin leaves nothing behind: no run directory, nor one made for it.
train::Trainer begin(Request& request, const train::RunConfig& config, std::optional<train::RunDirectory>& run) {
  const fs::path parent = fs::path(request.run).parent_path();
  const bool new_parent = !parent.empty() && !fs::exists(parent);
  run = train::RunDirectory::create(request.run, config);
  try {
    return new_trainer(request, *run);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(run->path(), ignored);
    if (new_parent) fs::remove(parent, ignored);
    throw;
  }
}

}  // namespace

int train(int argc, const char* const* argv) {
  Request request;
  if (!parse(argc, argv, request)) return success;
  train::RunConfig config = request.config();
  const bool piped = request.texts.front() == kStandardInput;
  if (request.run.empty()) request.run = free_run_name(piped ? "stdin" : request.texts.front());
  if (piped) config.texts = {fs::path(request.run) / train::RunDirectory::kCorpusName};

  std::optional<train::RunDirectory> run;
  auto trainer = begin(request, config, run);
  const StopSignal stop_signal;
  return run_training(trainer, request.run, request.display, request.watch);
}

}  // namespace rune::app
