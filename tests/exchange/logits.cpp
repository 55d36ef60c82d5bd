// rune_exchange_logits MODEL TEXT: a line of JSON for each character of the text, the logits after it.
#include <iostream>

#include <nlohmann/json.hpp>

#include "model/model.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto model = rune::model::load_model(argv[1]);
  rune::model::State state(model.network.options(), 1);
  rune::Matrix logits(1, static_cast<std::size_t>(model.network.vocabulary_size()));
  for (const std::int32_t token : model.vocabulary.encode(argv[2], rune::text::Unknown::error, "the text")) {
    model.network.step({&token, 1}, state, logits);
    std::cout << nlohmann::json(std::vector<float>(logits.row(0), logits.row(0) + logits.cols())) << '\n';
  }
}
