#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "command.h"
#include "command_line.h"
#include "model/import.h"
#include "model_summary.h"
#include "output.h"
#include "text/corpus.h"
#include "text/utf8.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

text::Vocabulary read_alphabet(const std::string& path) {
  std::string content = read_file(path);
  if (fs::path(path).extension() == ".json") {
    const auto json = nlohmann::json::parse(content, nullptr, /*allow_exceptions=*/false);
    std::vector<std::string> tokens;
    for (const auto& entry : json) {
      if (!entry.is_string()) throw InputError(fmt::format("'{}': expected a JSON array of characters", path));
      tokens.push_back(entry.get<std::string>());
    }
    return model::vocabulary_of(tokens, path);
  }
  // An editor puts a newline at the end of a file; in an alphabet with a newline of its own it would be the second.
  if (content.ends_with('\n') && content.find('\n') != content.size() - 1) content.pop_back();
  return text::Vocabulary(text::decode_utf8(content, path));
}

}  // namespace

int import_model(int argc, const char* const* argv) {
  std::string path;
  std::string output;
  std::string alphabet;
  std::vector<std::string> alphabet_texts;
  model::ImportOptions options;
  CommandLine line(
      "import", "FILE -o MODEL [OPTION...]",
      "Makes a model of weights that another program saved: what torch.save wrote (.pt, .pth, .net, by PyTorch of any "
      "age), or safetensors. Cell, layers and sizes are read off the names and shapes of the weights; the alphabet "
      "too, "
      "where the file has a list `tokens`. A file from a stranger is safe: nothing in it is run.");
  line.operand("FILE", path,
               "A state_dict, or a dictionary that holds one, with nn.RNN, nn.GRU or nn.LSTM, an nn.Embedding or "
               "one-hot input, and an nn.Linear; or a model of rune.");
  line.group("Options");
  line.option("-o,--output", "MODEL", output, "The .safetensors file to write; one of that name is replaced.");
  line.option("--alphabet", "FILE", alphabet,
              "The characters in the order of their numbers: a UTF-8 text that holds them one after the other, or, if "
              "it ends in .json, an array of strings.");
  line.option(
      "--alphabet-of", "TEXT", alphabet_texts,
      "The alphabet is the sorted characters of this text, sorted(set(text)) in Python; given several times: of "
      "all of them.");
  line.exclusive({"--alphabet", "--alphabet-of"});
  line.group("What a file may leave open");
  line.option("--cell", "NAME", options.cell, "The cell, where the shapes do not tell: loop for those of rnn.");
  line.option("--nonlinearity", "NAME", options.nonlinearity, "Of an RNN: " + train::list_names<Nonlinearity>() + ".");
  line.option("--recurrent", "NAME", options.recurrent,
              "What stands before weight_ih_l0, where the file holds several recurrent networks: decoder.lstm");
  line.option("--embedding", "NAME", options.embedding, "The embedding's weights, where several fit: embed.weight");
  line.option("--projection", "NAME", options.projection, "The output layer's weights, where several fit: fc.weight");
  line.example("rune import rnn_20_epoch.net -o anna.safetensors",
               "a checkpoint with its alphabet, as the notebooks save");
  line.example("rune import weights.pt -o book.safetensors --alphabet-of book.txt",
               "a bare state_dict, and the text it was trained on");
  line.example("rune sample anna.safetensors -p 'And Levin said'", "");
  if (!line.parse(argc, argv)) return success;
  if (output.empty()) throw UsageError("-o MODEL is missing: the .safetensors file to write");
  if (!output.ends_with(".safetensors")) {
    throw UsageError(fmt::format("expected -o to end in .safetensors, found '{}'", output));
  }

  if (!alphabet.empty()) options.alphabet = read_alphabet(alphabet);
  if (!alphabet_texts.empty()) {
    const std::vector<fs::path> texts(alphabet_texts.begin(), alphabet_texts.end());
    options.alphabet = text::Corpus::read({texts}, {.max_vocabulary = 0, .validation_fraction = 0}).vocabulary;
  }
  const model::Model model = model::import_model(read_file(path), path, options);
  model::save_model(output, model);
  message(fmt::format("imported '{}' as '{}'\n{}", path, output, layer_table(model.network)));
  return success;
}

}  // namespace rune::app
