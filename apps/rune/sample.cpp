#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/options.h>

#include "command.h"
#include "command_line.h"
#include "generate/generator.h"
#include "generate/sampler.h"
#include "input.h"
#include "model/model.h"
#include "output.h"
#include "text/corpus.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

struct Request {
  std::string model;
  std::string prompt;
  int length = 1000;
  int num_samples = 1;
  SampleOptions options;
  text::Unknown unknown = text::Unknown::error;
};

// False: help was asked for.
bool parse(int argc, const char* const* argv, Request& request) {
  std::optional<float> beta;
  CommandLine line("sample", "MODEL [-p PROMPT] [-n N] [OPTION...]",
                   "Writes text, one character at a time, each drawn from what the model expects after all before it. "
                   "The same seed gives the same "
                   "text. Low temperatures repeat themselves, high ones make mistakes; 0.5 to 1 is the range to try.");
  line.operand("MODEL", request.model,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
  line.group("What to write");
  line.option("-p,--prompt", "TEXT", request.prompt,
              "The beginning, which is written too; - reads it from standard input. [a new line]");
  line.option("-n,--length", "N", request.length, "New characters.");
  line.toggle("start-twice", request.options.start_twice,
              "Let the model read the last character of the prompt twice, as one notebook does.");
  line.option("--window", "N", request.options.window,
              "Expect each character from the N before it alone; 0: from all before it.");
  line.option("--window-state", "NAME", request.options.window_state,
              train::list_names<WindowState>() +
                  ": what the state is at a window's start. carry: what the window before it left, so that characters "
                  "are read several times.");
  line.option("--stop", "TEXT", request.options.stop, "End a sample after it has written this.");
  line.option("--num-samples", "N", request.num_samples,
              "Samples, computed together; the first is the one that a single sample would be.");
  line.option(
      "--unknown", "NAME", request.unknown,
      "What characters of the prompt that the model does not know do: " + train::list_names<text::Unknown>() + ".");
  line.group("How to choose characters");
  line.option("--temperature", "X", request.options.temperature,
              "Above 1: bolder; below 1: safer; 0: always the most probable character.");
  line.option("--beta", "X", beta, "Inverse temperature, another way to say it.");
  line.option("--top-k", "K", request.options.top_k, "Choose among the K most probable only; 0: among all.");
  line.option("--top-p", "P", request.options.top_p,
              "Choose among the most probable that together reach this probability.");
  line.option("--seed", "N", request.options.seed, "Another number, another text.");
  line.option("--threads", "N", request.options.threads,
              "0: one for each processor, where the model is large enough. The text is the same with any number.");
  line.exclusive({"--temperature", "--beta"});
  line.example("rune sample runs/book -p 'Once upon a time' -n 500", "");
  line.example("rune sample runs/book -p 'for thos' -n 40 --window 8 --temperature 0",
               "the most probable text of a model that has learned windows of 8");
  line.example("rune sample runs/book --temperature 0.7 --num-samples 5 --stop '\n'", "");
  if (!line.parse(argc, argv)) return false;

  if (beta) {
    if (*beta <= 0) throw UsageError(fmt::format("expected --beta to be above 0, found {}", *beta));
    request.options.temperature = 1 / *beta;
  }
  if (request.length < 0) throw UsageError(fmt::format("expected -n to be at least 0, found {}", request.length));
  if (request.num_samples < 1)
    throw UsageError(fmt::format("expected --num-samples to be at least 1, found {}", request.num_samples));
  try {
    generate::Sampler{request.options};
  } catch (const InputError& error) {
    throw UsageError(error.what());
  }
  return true;
}

std::string prompt_text(const std::string& prompt) { return prompt == "-" ? standard_input() : prompt; }

// Writes the first sample as it comes and keeps those after it until it is their turn.
class SampleWriter {
 public:
  SampleWriter(std::string prompt, int num_samples)
      : output_(Output::Controls::escape), prompt_(std::move(prompt)), texts_(static_cast<std::size_t>(num_samples)) {
    begin(0);
  }

  void add(int sample, const std::string& character) {
    if (sample == 0) {
      output_.write(character);
    } else {
      texts_[static_cast<std::size_t>(sample)] += character;
    }
  }

  void finish() {
    end();
    for (std::size_t sample = 1; sample < texts_.size(); ++sample) {
      begin(sample);
      output_.write(texts_[sample]);
      end();
    }
    output_.flush();
  }

 private:
  void begin(std::size_t sample) {
    if (texts_.size() > 1)
      output_.write(fmt::format("{}--- sample {} of {} ---\n", sample == 0 ? "" : "\n", sample + 1, texts_.size()));
    output_.write(prompt_);
  }
  // Alone, and not on a terminal, a sample is written as it is, to the character.
  void end() {
    if (texts_.size() > 1 || is_terminal(STDOUT_FILENO)) output_.write("\n");
  }

  Output output_;
  std::string prompt_;
  std::vector<std::string> texts_;
};

}  // namespace

int sample(int argc, const char* const* argv) {
  Request request;
  if (!parse(argc, argv, request)) return success;
  const model::Model model = model::load_model(train::resolve_model(request.model));
  const auto characters = text::decode_text(prompt_text(request.prompt), "the prompt");
  const auto prompt = model.vocabulary.encode(characters, request.unknown, "the prompt");
  SampleWriter writer(model.vocabulary.decode(prompt), request.num_samples);
  generate::generate(model, prompt, request.length, request.num_samples, request.options,
                     [&](int sample, const std::string& character) {
                       writer.add(sample, character);
                       return true;
                     });
  writer.finish();
  return success;
}

}  // namespace rune::app
