#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "reading_notes.h"
#include "stop_signal.h"
#include "text/corpus.h"
#include "text_flags.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"
#include "train/trainer.h"
#include "training.h"

namespace rune::app {
namespace {

std::vector<std::filesystem::path> absolute(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) paths.push_back(std::filesystem::absolute(name));
  return paths;
}

void expect_there(const std::vector<std::filesystem::path>& texts, const char* flag) {
  for (const std::filesystem::path& text : texts) {
    if (std::filesystem::exists(text)) continue;
    throw InputError(
        fmt::format("the text '{}' is not there any more; name it where it is now with {} PATH", text.string(), flag));
  }
}

// With the alphabet of the checkpoint that training goes on from; says if that is not the last one.
text::Corpus read_corpus(const train::RunDirectory& run, const train::RunConfig& config, text::Cache cache,
                         bool quiet) {
  expect_there(config.texts, "--text");
  expect_there(config.validation_texts, "--validation");
  const auto checkpoint = train::newest_checkpoint(run);
  std::optional<text::Vocabulary> vocabulary;
  if (checkpoint) {
    if (!checkpoint->notice.empty()) message("rune: " + checkpoint->notice + '\n');
    vocabulary = model::model_from(checkpoint->file).vocabulary;
  }
  return train::read_corpus(config, std::move(vocabulary), cache, reading_progress(quiet));
}

}  // namespace

int resume(int argc, const char* const* argv) {
  std::string path;
  DurationFlags duration;
  std::optional<int> threads;
  std::optional<Precision> precision;
  std::vector<std::string> texts;
  std::vector<std::string> validation;
  auto cache = text::Cache::automatic;
  bool accept_new_corpus = false;
  TrainingDisplay::Options display;
  WatchFlags watch;

  CommandLine line("resume", "RUN [--epochs N | --steps N] [OPTION...]",
                   "Goes on with a training where it was saved last. The result is the one that the training would "
                   "have had without the "
                   "stop, bit for bit. A finished training stays as it is, unless it is made longer.");
  line.operand("RUN", path, "The run directory that rune train made.");
  line.group("Options");
  line.option("--epochs", "N", duration.epochs, "Train up to this many epochs in all, counted from the very first.");
  line.option("--steps", "N", duration.steps, "Train up to this many steps in all.");
  line.option("--threads", "N", threads,
              "Threads; 0: one for each processor. The result does not depend on it. [as before]");
  line.option("--precision", "NAME", precision,
              "f32 or bf16, for the rest of it: where this processor does not multiply bf16, f32. [as before]");
  line.option("--text", "PATH", texts, "Where the text is now, if it has moved; once for each file.");
  line.option("--validation", "PATH", validation, "Where the text of --validation is now, if it has moved.");
  line.flag("--accept-new-corpus", accept_new_corpus,
            "Go on although the text has changed: epochs are counted in the new one, and the best model is the best on "
            "it.");
  watch.add_to(line);
  add_cache_option(line, cache);
  add_display_options(line, display);
  line.exclusive({"--epochs", "--steps"});
  line.example("rune resume runs/book", "goes on after Ctrl-C");
  line.example("rune resume runs/book --serve", "and shows it in a browser");
  line.example("rune resume runs/book --text ~/texts/book.txt", "the text has moved");
  line.example("rune resume runs/book --epochs 40", "makes a training of 20 epochs twice as long");
  if (!line.parse(argc, argv)) return success;

  auto run = train::RunDirectory::open(path);
  run.lock();
  train::RunConfig config = run.read_config();
  const TrainOptions before = config.train;
  config.train.threads = threads.value_or(before.threads);
  config.train.precision = precision.value_or(before.precision);
  if (!(config.train == before)) run.write_config(config);
  if (!texts.empty()) config.texts = absolute(texts);
  if (!validation.empty()) config.validation_texts = absolute(validation);
  auto corpus = read_corpus(run, config, cache, display.quiet);
  const StopSignal stop_signal;
  auto trainer = train::Trainer::resume(std::move(corpus), run,
                                        accept_new_corpus ? train::NewCorpus::accept : train::NewCorpus::refuse);
  if (!texts.empty() || !validation.empty()) trainer.set_texts(config.texts, config.validation_texts);
  if (const auto period = duration.period()) trainer.set_duration(*period);
  if (!display.quiet) {
    message(trainer.finished() ? fmt::format("{} is finished, at step {}. Make it longer with --epochs or --steps.\n",
                                             path, with_commas(trainer.step()))
                               : fmt::format("Going on with {} at step {}.\n", path, with_commas(trainer.step())));
  }
  if (trainer.finished()) return success;
  return run_training(trainer, path, display, watch);
}

}  // namespace rune::app
