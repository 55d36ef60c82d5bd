#include <rune/generator.h>

#include <algorithm>
#include <utility>

#include "api/model_parts.h"
#include "generate/generator.h"
#include "generate/sampler.h"
#include "text/vocabulary.h"

namespace rune {

struct Generator::Parts {
  std::shared_ptr<const model::Model> model;
  SampleOptions options;

  void write(std::string_view prompt, int length, int count, const generate::OnCharacter& on_character) const {
    const auto tokens = model->vocabulary.encode(prompt, text::Unknown::error, "the prompt");
    generate::generate(*model, tokens, length, count, options, on_character);
  }
};

Generator::Generator(const Model& model, const SampleOptions& options)
    : parts_(std::make_shared<const Parts>(Parts{model.parts_->weights, options})) {
  generate::Sampler{options};
}

std::string Generator::write(std::string_view prompt, int length) const {
  return std::move(write_several(prompt, length, 1).front());
}

void Generator::write(std::string_view prompt, int length, const OnCharacter& on_character) const {
  parts_->write(prompt, length, 1, [&](int, const std::string& character) { return on_character(character); });
}

std::vector<std::string> Generator::write_several(std::string_view prompt, int length, int count) const {
  std::vector<std::string> texts(static_cast<std::size_t>(std::max(count, 0)));
  parts_->write(prompt, length, count, [&](int sample, const std::string& character) {
    texts[static_cast<std::size_t>(sample)] += character;
    return true;
  });
  return texts;
}

}  // namespace rune
