#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "stop_signal.h"
#include "text/corpus.h"
#include "train/run_directory.h"
#include "train/trainer.h"
#include "training.h"

namespace rune::app {

int resume(int argc, const char* const* argv) {
  std::string path;
  DurationFlags duration;
  std::optional<int> threads;
  TrainingDisplay::Options display;

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
  add_display_options(line, display);
  line.exclusive({"--epochs", "--steps"});
  line.example("rune resume runs/book", "goes on after Ctrl-C");
  line.example("rune resume runs/book --epochs 40", "makes a training of 20 epochs twice as long");
  if (!line.parse(argc, argv)) return success;

  auto run = train::RunDirectory::open(path);
  train::RunConfig config = run.read_config();
  if (threads && *threads != config.train.threads) {
    config.train.threads = *threads;
    run.write_config(config);
  }
  auto corpus = train::read_corpus(config, std::filesystem::exists(run.last()) ? run.last() : std::filesystem::path());
  const StopSignal stop_signal;
  auto trainer = train::Trainer::resume(std::move(corpus), run);
  if (const auto period = duration.period()) trainer.set_duration(*period);
  if (!display.quiet) {
    message(trainer.finished() ? fmt::format("{} is finished, at step {}. Make it longer with --epochs or --steps.\n",
                                             path, with_commas(trainer.step()))
                               : fmt::format("Going on with {} at step {}.\n", path, with_commas(trainer.step())));
  }
  if (trainer.finished()) return success;
  return run_training(trainer, path, display);
}

}  // namespace rune::app
