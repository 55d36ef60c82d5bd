#include <unistd.h>

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/file.h"
#include "command.h"
#include "command_line.h"
#include "generate/compression.h"
#include "input.h"
#include "output.h"
#include "text/utf8.h"
#include "train/run_directory.h"

namespace rune::app {
namespace {

// The share that is done, in a line of the terminal that is written over.
generate::OnProgress show_progress(const char* what) {
  if (!is_terminal(STDERR_FILENO)) return {};
  return [what](double share) { draw(fmt::format("\r{} {:.0f} %\x1b[K", what, 100 * share)); };
}

void end_progress() {
  if (is_terminal(STDERR_FILENO)) draw("\r\x1b[K");
}

std::string read_input(const std::string& path) { return path == "-" ? standard_input() : read_file(path); }

void add_model(CommandLine& line, std::string& path) {
  line.operand("MODEL", path,
               "A .safetensors file, or a run directory: its best checkpoint, the last one without validation.");
}

void add_threads(CommandLine& line, int& threads) {
  line.option("--threads", "N", threads,
              "Threads; 0: one for each processor where the model is large. The result does not depend on it.");
}

}  // namespace

int compress(int argc, const char* const* argv) {
  std::string path;
  std::string input;
  std::string output;
  generate::CompressionOptions options;
  CommandLine line(
      "compress", "MODEL FILE -o PACKED [OPTION...]",
      "Packs a file by arithmetic coding: the better a character was predicted, the fewer bits it takes, so that the "
      "size of PACKED is the model's bits per character (docs/compression.md). Any bytes come back exactly, whether "
      "or not the model knows them. Unpacking needs the same model, which PACKED does not hold, and no certain "
      "machine: it takes as long as packing, and gives the same bytes with every instruction set.");
  add_model(line, path);
  line.operand("FILE", input, "What to pack; - is standard input. Read as it is: no encoding, no archive.");
  line.group("Options");
  line.option("-o,--output", "PACKED", output, "The file to write; one of that name is replaced.");
  line.option("--streams", "N", options.streams,
              "Parts of the text that are read side by side, for speed; each starts without a past. 0: one for 4096 "
              "characters, at most 64.");
  add_threads(line, options.threads);
  line.example("rune compress runs/book chapter.txt -o chapter.rune", "");
  line.example("rune decompress runs/book chapter.rune -o chapter.txt", "");
  if (!line.parse(argc, argv)) return success;
  if (output.empty()) throw UsageError("-o PACKED is missing: the file to write");

  const model::Model model = model::load_model(train::resolve_model(path));
  const std::string bytes = read_input(input);
  const std::string packed = generate::compress(model, bytes, options, show_progress("packing"));
  end_progress();
  write_file_atomically(output, packed);
  const auto characters = static_cast<double>(text::count_characters(bytes));
  message(fmt::format("packed '{}' as '{}': {} bytes of {}", input, output, with_commas(std::ssize(packed)),
                      with_commas(std::ssize(bytes))));
  message(characters == 0 ? "\n"
                          : fmt::format(", {:.4f} bits per character; not counted is the model, {} numbers\n",
                                        8 * static_cast<double>(packed.size()) / characters,
                                        with_commas(model.network.parameters().count())));
  return success;
}

int decompress(int argc, const char* const* argv) {
  std::string path;
  std::string input;
  std::string output;
  int threads = 0;
  CommandLine line("decompress", "MODEL PACKED -o FILE [OPTION...]",
                   "Unpacks a file that rune compress packed. What is damaged, cut short or packed with another model "
                   "is refused, and FILE is written as a whole or not at all.");
  add_model(line, path);
  line.operand("PACKED", input, "What rune compress wrote; - is standard input.");
  line.group("Options");
  line.option("-o,--output", "FILE", output, "The file to write; one of that name is replaced.");
  add_threads(line, threads);
  line.example("rune decompress runs/book chapter.rune -o chapter.txt", "");
  if (!line.parse(argc, argv)) return success;
  if (output.empty()) throw UsageError("-o FILE is missing: the file to write");

  const model::Model model = model::load_model(train::resolve_model(path));
  const std::string packed = read_input(input);
  const std::string bytes = generate::decompress(model, packed, input, threads, show_progress("unpacking"));
  end_progress();
  write_file_atomically(output, bytes);
  message(fmt::format("unpacked '{}' as '{}': {} bytes\n", input, output, with_commas(std::ssize(bytes))));
  return success;
}

}  // namespace rune::app
