#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rune/options.h>
#include <nlohmann/json.hpp>

#include "base/thread_team.h"
#include "command.h"
#include "command_line.h"
#include "generate/evaluation.h"
#include "model/model.h"
#include "output.h"
#include "text/corpus.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

std::string as_json(const generate::Evaluation& evaluation) {
  nlohmann::ordered_json json;
  json["loss"] = evaluation.loss;
  json["bpc"] = evaluation.bits_per_character();
  json["perplexity"] = evaluation.perplexity();
  json["characters"] = evaluation.characters;
  json["protocol"] = generate::to_string(evaluation.protocol);
  return json.dump() + '\n';
}

std::string as_text(const generate::Evaluation& evaluation) {
  return fmt::format(
      "loss        {:.6f} nats per character\nbpc         {:.6f} bits per character\nperplexity  {:.6f}\n"
      "characters  {}\nprotocol    {}\n",
      evaluation.loss, evaluation.bits_per_character(), evaluation.perplexity(), evaluation.characters,
      generate::to_string(evaluation.protocol));
}

// The windows that the model was trained with, where it still lies in its run directory.
std::optional<int> trained_sequence_length(const fs::path& model) {
  const fs::path folder = model.parent_path();
  if (!fs::exists(folder / "config.toml")) return std::nullopt;
  return train::RunDirectory::open(folder).read_config().train.sequence_length;
}

}  // namespace

int evaluate(int argc, const char* const* argv) {
  std::string path;
  std::vector<std::string> texts;
  Protocol protocol;
  std::optional<int> sequence_length;
  auto unknown = text::Unknown::error;
  int threads = 0;
  bool json = false;

  CommandLine line("eval", "MODEL TEXT... [OPTION...]",
                   "Measures how well a model predicts a text that it was not trained on: the mean loss of a character "
                   "in nats (natural "
                   "logarithms), in bits (bpc), and as perplexity, the number of characters it hesitates between.");
  line.operand("MODEL", path,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
  line.operands("TEXT", texts, "UTF-8 files, measured as one text in this order.");
  line.group("Options");
  line.option("--protocol", "NAME", protocol,
              "stream: one state carried over the whole text; rows:N: N parts side by side, as in training; windows:N: "
              "windows of N characters, each without a past.");
  line.option("--sequence-length", "N", sequence_length,
              "Of rows:N, the characters of a window. [as the model's run was trained, else 100]");
  line.option("--unknown", "NAME", unknown,
              "What characters that the model does not know do: " + train::list_names<text::Unknown>() + ".");
  line.option("--threads", "N", threads, "Threads; 0: one for each processor. The result does not depend on it.");
  line.flag("--json", json, "Write one line of JSON.");
  line.example("rune eval runs/book other-book.txt", "");
  line.example("rune eval runs/book test.txt --protocol windows:256 --unknown skip", "");
  if (!line.parse(argc, argv)) return success;

  const fs::path file = train::resolve_model(path);
  const model::Model model = model::load_model(file);
  std::vector<std::int32_t> tokens;
  for (const std::string& text : texts) {
    const auto part = model.vocabulary.encode(text::read_text(std::array{fs::path(text)}), unknown, text);
    tokens.insert(tokens.end(), part.begin(), part.end());
  }
  ThreadTeam team(threads);
  generate::Evaluator evaluator(
      model.network, tokens, protocol,
      sequence_length.value_or(trained_sequence_length(file).value_or(TrainOptions().sequence_length)));
  const auto evaluation = evaluator.evaluate(model.network, team);
  Output output(Output::Controls::pass);
  output.write(json ? as_json(evaluation) : as_text(evaluation));
  output.flush();
  return success;
}

}  // namespace rune::app
