#pragma once

#include <memory>
#include <string>
#include <utility>

#include "model/model.h"
#include "server/models.h"
#include "server/service.h"
#include "text/vocabulary.h"

/// A model of a moment, and a service that serves it.
namespace rune::server {

inline constexpr auto kAlphabet = U"\nabcdeé\U0001F600";

/// Initial weights give nearly even odds; with larger ones a text depends on what came before.
inline std::shared_ptr<const model::Model> tiny_model(text::Vocabulary alphabet = text::Vocabulary(kAlphabet)) {
  const ModelOptions options{.cell = Cell::lstm, .layers = 2, .hidden_size = 12};
  const int size = alphabet.size();
  model::Parameters parameters = model::Parameters::initialized(options, size, 3);
  for (const model::Tensor& tensor : parameters.tensors()) {
    if (tensor.name.find("weight_hh") != std::string::npos) continue;
    for (float& value : parameters.values(tensor)) value *= 3;
  }
  return std::make_shared<const model::Model>(
      model::Model{std::move(alphabet), model::Network(options, size, std::move(parameters))});
}

inline Models tiny_models() { return Models(std::vector<ServedModel>{{"tiny", tiny_model(), 1}}); }

/// A service without a thread: its engine works when step() is called.
inline ServiceOptions quiet_options() {
  ServiceOptions options;
  options.runs_folder = "/nowhere";
  options.engine.threads = 1;
  return options;
}

inline Request post(std::string path, std::string body) {
  return {.method = "POST",
          .target = std::move(path),
          .headers = {{"host", "localhost:8080"}, {"content-type", "application/json"}},
          .body = std::move(body)};
}

inline Request get(std::string path) {
  return {.method = "GET", .target = std::move(path), .headers = {{"host", "localhost:8080"}}, .body = ""};
}

}  // namespace rune::server
