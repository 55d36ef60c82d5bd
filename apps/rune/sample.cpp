#include <unistd.h>

#include <filesystem>
#include <optional>
#include <span>
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
#include "precision_flag.h"
#include "records.h"
#include "text/vocabulary.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string model;
  std::string prompt;
  int length = 1000;
  std::optional<int> num_samples;
  bool novel = false;
  SampleOptions options;
  Precision precision = Precision::f32;
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
              "The beginning, which is written too; - reads it from standard input. [a new line; records: nothing]");
  line.option("-n,--length", "N", request.length, "New characters.");
  line.toggle("start-twice", request.options.start_twice,
              "Let the model read the last character of the prompt twice, as one notebook does.");
  line.option("--window", "N", request.options.window,
              "Expect each character from the N before it alone; 0: from all before it.");
  line.option("--window-state", "NAME", request.options.window_state,
              train::list_names<WindowState>() +
                  ": what the state is at a window's start. carry: what the window before it left, so that characters "
                  "are read several times.");
  line.toggle("allow-unknown", request.options.unknown, "Let it write <unk> where it has one.");
  line.option("--stop", "TEXT", request.options.stop, "End a sample after it has written this.");
  line.option("--num-samples", "N", request.num_samples,
              "Samples, computed together; the first is the one that a single sample would be. [1; records: 10]");
  line.flag("--novel", request.novel, "Of a model of records: none that stands in the training set.");
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
  add_precision_option(line, request.precision);
  line.option("--threads", "N", request.options.threads,
              "0: one for each processor, where the model is large enough. The text is the same with any number.");
  line.exclusive({"--temperature", "--beta"});
  line.example("rune sample runs/book -p 'Once upon a time' -n 500", "");
  line.example("rune sample runs/book -p 'for thos' -n 40 --window 8 --temperature 0",
               "the most probable text of a model that has learned windows of 8");
  line.example("rune sample runs/names -p mar --num-samples 20 --novel", "twenty new names that begin with mar");
  line.example("rune sample runs/book --temperature 0.7 --num-samples 5 --stop '\n'", "");
  if (!line.parse(argc, argv)) return false;

  if (beta) {
    if (*beta <= 0) throw UsageError(fmt::format("expected --beta to be above 0, found {}", *beta));
    request.options.temperature = 1 / *beta;
  }
  if (request.length < 0) throw UsageError(fmt::format("expected -n to be at least 0, found {}", request.length));
  if (request.num_samples && *request.num_samples < 1)
    throw UsageError(fmt::format("expected --num-samples to be at least 1, found {}", *request.num_samples));
  try {
    generate::Sampler{request.options};
  } catch (const InputError& error) {
    throw UsageError(error.what());
  }
  return true;
}

std::string prompt_text(const std::string& prompt) { return prompt == "-" ? standard_input() : prompt; }

// Between the samples where there are several.
std::string header(int number, int count) {
  return fmt::format("{}--- sample {} of {} ---\n", number == 0 ? "" : "\n", number + 1, count);
}

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
    if (texts_.size() > 1) output_.write(header(static_cast<int>(sample), static_cast<int>(texts_.size())));
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

// A model of records writes one after the other, each on lines of its own.
int sample_records(const Request& request, const fs::path& file, const model::Model& model,
                   std::span<const std::int32_t> prompt) {
  const auto known = known_records(file, model.vocabulary);
  if (request.novel && !known) {
    throw InputError(
        fmt::format("expected the texts that '{}' was trained on, for --novel, found none; the model must "
                    "lie in its run directory, and its texts where they were",
                    file.string()));
  }
  const RecordRequest wanted{.length = request.length,
                             .count = request.num_samples.value_or(10),
                             .novel = request.novel,
                             .options = request.options};
  Output output(Output::Controls::escape);
  const bool several_lines = model.vocabulary.form().records != Records::lines;
  int written = 0;
  int copies = 0;
  write_records(model, prompt, wanted, known, [&](const std::string& record, bool copy) {
    if (several_lines) output.write(header(written, wanted.count));
    ++written;
    output.write(record + '\n');
    copies += copy ? 1 : 0;
    if (copy) message(fmt::format("in the training set: {}\n", record));
  });
  output.flush();
  if (known && !request.novel) message(fmt::format("{} of {} are in the training set\n", copies, wanted.count));
  return success;
}

}  // namespace

int sample(int argc, const char* const* argv) {
  Request request;
  if (!parse(argc, argv, request)) return success;
  const fs::path file = train::resolve_model(request.model);
  const model::Model model = model::load_model(file, request.precision);
  const auto prompt = model.vocabulary.encode(prompt_text(request.prompt), request.unknown, "the prompt");
  if (model.vocabulary.form().records != Records::none) return sample_records(request, file, model, prompt);
  if (request.novel) throw UsageError("expected a model of records with --novel, found one of a running text");
  const int count = request.num_samples.value_or(1);
  SampleWriter writer(model.vocabulary.decode(prompt), count);
  generate::generate(model, prompt, request.length, count, request.options,
                     [&](int sample, const std::string& character) {
                       writer.add(sample, character);
                       return true;
                     });
  writer.finish();
  return success;
}

}  // namespace rune::app
