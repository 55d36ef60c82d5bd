#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "generate/sampler.h"
#include "model/model.h"

namespace rune::generate {

/// Called with the number of the sample (from 0) and the UTF-8 of one new unit: whole characters always. A unit of
/// bytes may bring bytes that are none, as they are. False stops that sample.
using OnCharacter = std::function<bool(int sample, const std::string& character)>;

/// Writes `num_samples` texts of at most `length` new units each, as one batch. The prompt's tokens prime the
/// state (they are not reported);
/// they follow the begin symbol where the alphabet has one; without either the model starts from a newline, or from the
/// alphabet's first unit. Sample i draws from
/// RandomStream(seed, sample, first_sample + i) alone, so that its text depends on model, prompt, seed and options,
/// never on its batch. A sample ends after options.stop has been written, if given, and where the model draws the end
/// symbol, which is not reported; <unk> is drawn only if options.unknown says so, other symbols never.
void generate(const model::Model& model, std::span<const std::int32_t> prompt, int length, int num_samples,
              const SampleOptions& options, const OnCharacter& on_character, std::uint64_t first_sample = 0);

/// What generate reads before it writes, never empty. Throws InputError for a token that the alphabet does not have.
std::vector<std::int32_t> opening(const text::Vocabulary& vocabulary, std::span<const std::int32_t> prompt,
                                  const SampleOptions& options);
/// The symbols that generate does not draw: all but the one that ends a text, and <unk> where the options allow it.
std::vector<std::int32_t> never_drawn(const text::Vocabulary& vocabulary, const SampleOptions& options);
/// Whether a step of so many samples is long enough for a team of threads, which passes a barrier in every layer.
bool worth_sharing(const model::Network& network, std::size_t samples);

/// A token and its probability.
struct Candidate {
  std::int32_t token = 0;
  double probability = 0;
};

/// What comes after a context (after what generate would read for it), the most probable first; ties by token.
std::vector<Candidate> next_candidates(const model::Model& model, std::span<const std::int32_t> context);

/// generate, one sample, as a string.
std::string generate_text(const model::Model& model, std::span<const std::int32_t> prompt, int length,
                          const SampleOptions& options);

}  // namespace rune::generate
