#include <string>

#include <fmt/format.h>

#include "base/file.h"
#include "command.h"
#include "command_line.h"
#include "format/safetensors.h"
#include "model/model.h"
#include "model/onnx.h"
#include "output.h"
#include "train/run_directory.h"

namespace rune::app {

int export_model(int argc, const char* const* argv) {
  std::string path;
  std::string output;
  bool weights_only = false;
  CommandLine line(
      "export", "MODEL -o FILE",
      "Writes a model for other programs. FILE.onnx runs wherever ONNX does, in a browser too: inputs are "
      "tokens (sequence, batch) and the state before them, outputs are logits and the state after, so that "
      "text can be written step by step. FILE.safetensors holds the weights by PyTorch's names and the "
      "alphabet: with --weights-only a small file to share, else with all else that MODEL holds, which is the "
      "optimizer's state too where it is a last.safetensors. docs/exchange.md shows both.");
  line.operand("MODEL", path,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
  line.group("Options");
  line.option("-o,--output", "FILE", output,
              "What to write: .onnx (cells rnn, gru and lstm) or .safetensors; a file of that name is replaced.");
  line.flag("--weights-only", weights_only, "Leave out of a .safetensors file what only a training needs to go on.");
  line.example("rune export runs/book -o book.onnx", "");
  line.example("rune export runs/book --weights-only -o book.safetensors", "");
  if (!line.parse(argc, argv)) return success;
  const bool onnx = output.ends_with(".onnx");
  if (!onnx && !output.ends_with(".safetensors")) {
    throw UsageError(output.empty() ? "-o FILE is missing: FILE.onnx or FILE.safetensors"
                                    : fmt::format("expected -o to end in .onnx or .safetensors, found '{}'", output));
  }

  if (onnx && weights_only) throw UsageError("--weights-only is for .safetensors files; ONNX ones hold nothing else");

  const auto file = format::SafetensorsFile::read(train::resolve_model(path));
  const model::Model model = model::model_from(file);
  if (onnx) {
    write_file_atomically(output, model::to_onnx(model));
  } else if (weights_only) {
    model::save_model(output, model);
  } else {
    format::write_safetensors(output, file.tensors(), file.metadata());
  }
  message(fmt::format("exported '{}' as '{}'\n", path, output));
  return success;
}

}  // namespace rune::app
