#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <rune/options.h>
#include <nlohmann/json.hpp>

#include "base/thread_team.h"
#include "command.h"
#include "command_line.h"
#include "generate/dynamic_evaluation.h"
#include "generate/evaluation.h"
#include "model/model.h"
#include "output.h"
#include "precision_flag.h"
#include "text/corpus.h"
#include "text/record_batcher.h"
#include "text_flags.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

// With the options of a dynamic evaluation, whose figure is none of a protocol's.
std::string as_json(const generate::Evaluation& evaluation, const generate::DynamicOptions* dynamic) {
  nlohmann::ordered_json json;
  json["loss"] = evaluation.loss;
  json["bpc"] = evaluation.bits_per_character();
  json["perplexity"] = evaluation.perplexity();
  json["characters"] = evaluation.characters;
  json["protocol"] = dynamic != nullptr ? "dynamic" : generate::to_string(evaluation.protocol);
  if (dynamic != nullptr) {
    json["learning_rate"] = dynamic->learning_rate;
    json["decay"] = dynamic->decay;
    json["segment"] = dynamic->segment;
  }
  return json.dump() + '\n';
}

std::string as_text(const generate::Evaluation& evaluation, const generate::DynamicOptions* dynamic) {
  const std::string protocol =
      dynamic != nullptr ? fmt::format(
                               "dynamic: learned from every {} characters after they were scored, learning rate "
                               "{}, decay {}",
                               dynamic->segment, dynamic->learning_rate, dynamic->decay)
                         : generate::to_string(evaluation.protocol);
  return fmt::format(
      "loss        {:.6f} nats per character\nbpc         {:.6f} bits per character\nperplexity  {:.6f}\n"
      "characters  {}\nprotocol    {}\n",
      evaluation.loss, evaluation.bits_per_character(), evaluation.perplexity(), evaluation.characters, protocol);
}

// The windows that the model was trained with, where it still lies in its run directory.
std::optional<int> trained_sequence_length(const fs::path& model) {
  const fs::path folder = model.parent_path();
  if (!fs::exists(folder / "config.toml")) return std::nullopt;
  return train::RunDirectory::open(folder).read_config().train.sequence_length;
}

// The texts as a model reads them: its own records, unless others are asked for.
text::Corpus read_as_known(const text::Vocabulary& vocabulary, std::vector<fs::path> texts, TextOptions options,
                           text::Unknown unknown) {
  TextForm& form = options.form;
  if (form.records == Records::none) {
    const TextForm& known = vocabulary.form();
    form.records = known.records;
    form.separator = known.separator;
    form.column = known.column;
    form.field = known.field;
    form.documents = known.documents;
  }
  return text::Corpus::read({std::move(texts)}, options, vocabulary, unknown);
}

generate::Evaluation evaluate_dynamically(const model::Model& model, const text::Corpus& corpus,
                                          const generate::DynamicOptions& options, ThreadTeam& team) {
  if (!corpus.train_ends.empty()) {
    throw InputError(
        "--dynamic measures a running text, and these are records, which have no order to learn in; leave "
        "it out");
  }
  const model::Loss loss = generate::evaluate_dynamically(model.network, corpus.train, options, team);
  return {.protocol = {}, .loss = loss.mean(), .characters = loss.characters};
}

std::unique_ptr<text::Batcher> record_batcher(const text::Corpus& corpus) {
  return std::make_unique<text::RecordBatcher>(corpus.train, corpus.train_ends, TrainOptions().batch_size,
                                               std::nullopt);
}

}  // namespace

int evaluate(int argc, const char* const* argv) {
  std::string path;
  std::vector<std::string> texts;
  TextOptions reading{.validation_fraction = 0};
  std::optional<Protocol> protocol;
  std::optional<int> sequence_length;
  auto unknown = text::Unknown::error;
  auto precision = Precision::f32;
  int threads = 0;
  bool json = false;
  bool dynamic = false;
  generate::DynamicOptions learning;

  CommandLine line("eval", "MODEL TEXT... [OPTION...]",
                   "Measures how well a model predicts a text that it was not trained on: the mean loss of a character "
                   "in nats (natural "
                   "logarithms), in bits (bpc), and as perplexity, the number of characters it hesitates between.");
  line.operand("MODEL", path,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
  line.operands(
      "TEXT", texts,
      "Files, directories and archives, measured as one text in this order; - is standard input. They are read as the "
      "model's own texts were: units, case, normal form, records.");
  line.group("Options");
  line.option("--protocol", "NAME", protocol,
              "stream: one state carried over the whole text; rows:N: N parts side by side, as in training; windows:N: "
              "windows of N characters, each without a past. [stream; records: each from a zero state]");
  line.option("--sequence-length", "N", sequence_length,
              "Of rows:N, the characters of a window. [as the model's run was trained, else 100]");
  line.option("--unknown", "NAME", unknown,
              "What characters that the model does not know do: " + train::list_names<text::Unknown>() + ".");
  add_reading_options(line, reading);
  add_record_options(line, reading);
  line.group("Dynamic evaluation (arXiv 1709.07432)");
  line.flag("--dynamic", dynamic,
            "Learn from the text while measuring: each segment is scored, then a copy of the model takes a step of "
            "gradient descent on it. A protocol of its own, not comparable with the others; MODEL is not changed.");
  line.option("--lr", "X", learning.learning_rate, "Of the step.");
  line.option("--decay", "X", learning.decay,
              "How much of the way back to the trained weights each step takes, 0 to 1.");
  line.option("--segment", "N", learning.segment, "Characters between two steps.");
  line.exclusive({"--dynamic", "--protocol"});
  line.group("Running and output");
  add_precision_option(line, precision);
  line.option("--threads", "N", threads, "Threads; 0: one for each processor. The result does not depend on it.");
  line.flag("--json", json, "Write one line of JSON.");
  line.example("rune eval runs/book other-book.txt", "");
  line.example("rune eval runs/book test.txt --protocol windows:256 --unknown skip", "");
  line.example("rune eval runs/book test.txt --dynamic", "");
  if (!line.parse(argc, argv)) return success;

  const fs::path file = train::resolve_model(path);
  const model::Model model = model::load_model(file, precision);
  const text::Corpus corpus = read_as_known(model.vocabulary, {texts.begin(), texts.end()}, reading, unknown);
  ThreadTeam team(threads);
  Output output(Output::Controls::pass);
  if (dynamic) {
    const auto evaluation = evaluate_dynamically(model, corpus, learning, team);
    output.write(json ? as_json(evaluation, &learning) : as_text(evaluation, &learning));
    output.flush();
    return success;
  }
  generate::Evaluator evaluator =
      corpus.train_ends.empty() || protocol
          ? generate::Evaluator(
                model.network, corpus.train, protocol.value_or(Protocol()),
                sequence_length.value_or(trained_sequence_length(file).value_or(TrainOptions().sequence_length)))
          : generate::Evaluator(model.network, record_batcher(corpus));
  const auto evaluation = evaluator.evaluate(model.network, team);
  output.write(json ? as_json(evaluation, nullptr) : as_text(evaluation, nullptr));
  output.flush();
  return success;
}

}  // namespace rune::app
