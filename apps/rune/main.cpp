#include <atomic>
#include <csignal>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "command_line.h"
#include "output.h"
#include "train/option_text.h"

namespace rune::app {
namespace {

constexpr Command kCommands[] = {
    {"train", "learn from a text", train},
    {"resume", "go on with a training that was stopped, or make it longer", resume},
    {"sample", "write text with a trained model", sample},
    {"next", "show which characters a model expects next", next},
    {"eval", "measure how well a model predicts a text", evaluate},
    {"inspect", "show what a model is made of, or check a text before training", inspect},
    {"import", "make a model of weights from PyTorch", import_model},
    {"export", "write a model for ONNX, or a small one to share", export_model},
    {"compress", "pack a file with a model's predictions", compress},
    {"decompress", "unpack what compress packed, with the same model", decompress},
    {"recipes", "list ready-made trainings, or print one", recipes},
    {"reproduce", "run the reference systems and compare them with what is published", reproduce},
    {"plot", "draw the loss curves of trainings", plot},
    {"runs", "list trainings: how far they are, how good, and what tells them apart", runs},
    {"serve", "write for other programs, and show trainings in a browser", serve},
    {"bench", "measure how fast rune is here", bench},
    {"help", "explain a command and its options", help},
};

int run(int argc, const char* const* argv) {
  if (argc < 2) throw UsageError("a command is missing\nrune help lists them");
  const std::string word = argv[1];
  if (word == "--version") {
    Output(Output::Controls::pass).write("rune " RUNE_VERSION "\n");
    return success;
  }
  if (word == "--help" || word == "-h") return help(0, nullptr);
  return find_command(word).run(argc - 2, argv + 2);
}

// Given back when memory is gone, so that an error can still be told: exceptions need some, and destructors that
// allocate (nlohmann::json's) do.
constexpr std::size_t kReserve = 64 << 10;
std::atomic<std::byte*> reserve = nullptr;

void release_reserve() {
  const std::byte* held = reserve.exchange(nullptr);
  if (held == nullptr) throw std::bad_alloc();
  delete[] held;
}

void keep_memory_for_errors() {
  reserve = new std::byte[kReserve];
  std::set_new_handler(release_reserve);
}

int guarded(int argc, const char* const* argv) {
  try {
    keep_memory_for_errors();
    return run(argc, argv);
  } catch (const UsageError& error) {
    message(fmt::format("rune: {}\n", error.what()));
    return wrong_usage;
  } catch (const std::bad_alloc&) {
    message("rune: out of memory: a smaller batch, sequence or model needs less\n");
  } catch (const std::exception& error) {
    message(fmt::format("rune: {}\n", error.what()));
  }
  return failure;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command& find_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  throw UsageError(fmt::format("unknown command '{}'{}\nrune help lists them", name, train::suggestion(name, names)));
}

}  // namespace rune::app

int main(int argc, char** argv) {
  // A reader that goes away ends the process silently, even where the caller ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  // A limit on the size of files is an error of the write that meets it, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  return rune::app::guarded(argc, argv);
}
