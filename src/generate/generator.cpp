#include "generate/generator.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/random.h"
#include "text/utf8.h"

namespace rune::generate {
namespace {

/// What one sample needs besides its row of the state.
struct Sample {
  RandomStream random;
  std::string tail{};  // of what has been written: as long as the stop text at most
  bool writing = true;
};

void require_at_least(int value, int least, const char* what) {
  if (value < least) throw InputError(fmt::format("{} must be at least {}, found {}", what, least, value));
}

std::vector<std::int32_t> opening(const text::Vocabulary& vocabulary, std::span<const std::int32_t> prompt) {
  if (prompt.empty()) return {std::max(vocabulary.token(U'\n'), 0)};
  for (const std::int32_t token : prompt) {
    if (token < 0 || token >= vocabulary.size()) {
      throw InputError(fmt::format("the prompt's tokens must be below {}, found {}", vocabulary.size(), token));
    }
  }
  return {prompt.begin(), prompt.end()};
}

}  // namespace

void generate(const model::Model& model, std::span<const std::int32_t> prompt, int length, int num_samples,
              const SampleOptions& options, const OnCharacter& on_character) {
  require_at_least(length, 0, "the number of characters to write");
  require_at_least(num_samples, 1, "the number of samples");
  Sampler sampler(options);
  const auto& [vocabulary, network] = model;
  const auto vocabulary_size = static_cast<std::size_t>(vocabulary.size());
  const auto count = static_cast<std::size_t>(num_samples);

  model::State primed(network.options(), 1);
  Matrix primed_logits(1, vocabulary_size);
  for (const std::int32_t token : opening(vocabulary, prompt)) network.step({&token, 1}, primed, primed_logits);

  model::State state(network.options(), num_samples);
  Matrix logits(count, vocabulary_size);
  std::vector<Sample> samples;
  for (int i = 0; i < num_samples; ++i) {
    state.copy_stream(primed, 0, i);
    std::ranges::copy(primed_logits.values(), logits.row(static_cast<std::size_t>(i)));
    samples.push_back({.random = RandomStream(options.seed, RandomPurpose::sample, static_cast<std::uint64_t>(i))});
  }

  std::vector<std::int32_t> tokens(count);
  std::string character;
  for (int position = 0; position < length; ++position) {
    if (position > 0) network.step(tokens, state, logits);
    for (std::size_t i = 0; i < count; ++i) {
      Sample& sample = samples[i];
      if (!sample.writing) continue;
      tokens[i] = sampler.draw({logits.row(i), vocabulary_size},
                               sample.random.uniform_double(static_cast<std::uint64_t>(position)));
      character.clear();
      text::append_utf8(character, vocabulary.character(tokens[i]));
      sample.writing = on_character(static_cast<int>(i), character);
      if (options.stop.empty()) continue;
      sample.tail += character;
      if (sample.tail.ends_with(options.stop)) sample.writing = false;
      if (sample.tail.size() > options.stop.size()) sample.tail.erase(0, sample.tail.size() - options.stop.size());
    }
    if (std::ranges::none_of(samples, &Sample::writing)) return;
  }
}

std::string generate_text(const model::Model& model, std::span<const std::int32_t> prompt, int length,
                          const SampleOptions& options) {
  std::string text;
  generate(model, prompt, length, 1, options, [&](int, const std::string& character) {
    text += character;
    return true;
  });
  return text;
}

}  // namespace rune::generate
