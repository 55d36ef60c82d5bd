// A program outside the project: trains, saves, loads and writes through the installed package alone.
#include <rune/rune.h>

#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

void train_and_write() {
  const std::string alphabet = "abc\n";
  {
    std::ofstream text("consumer.txt");
    for (int i = 0; i < 2000; ++i) text << alphabet;
  }

  const auto corpus = rune::Corpus::open("consumer.txt", {.validation_fraction = 0.1});
  rune::Model model({.cell = rune::Cell::gru, .layers = 1, .hidden_size = 16}, corpus.vocabulary(), /*seed=*/1);
  rune::Trainer trainer(model, corpus, {.batch_size = 4, .sequence_length = 10});
  int reports = 0;
  trainer.run({.steps = 5}, [&](const rune::Progress&) { ++reports; });
  require(reports > 0, "the training reported nothing");
  model.save("consumer.safetensors");

  const auto loaded = rune::Model::load("consumer.safetensors");
  rune::Generator generator(loaded, {.temperature = 0.8f, .seed = 7});
  const std::string written = generator.write("ab", 20);
  require(written.size() == 20, "expected 20 characters, got \"" + written + '"');
  require(written.find_first_not_of(alphabet) == std::string::npos, "not of the alphabet: \"" + written + '"');
}

}  // namespace

int main() {
  try {
    train_and_write();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
