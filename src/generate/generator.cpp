#include "generate/generator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/random.h"
#include "base/thread_team.h"
#include "text/utf8.h"

namespace rune::generate {
namespace {

/// What one sample needs besides its row of the state.
struct Sample {
  RandomStream random;
  text::WholeCharacters whole{};
  std::string tail{};  // of what has been written: as long as the stop text at most
  bool writing = true;
};

void require_at_least(int value, int least, const char* what) {
  if (value < least) throw InputError(fmt::format("{} must be at least {}, found {}", what, least, value));
}

}  // namespace

/// What the model reads first: the begin symbol where there is one, then the prompt; without either what ends a
/// document, a newline, or the first character that the model knows.
std::vector<std::int32_t> opening(const text::Vocabulary& vocabulary, std::span<const std::int32_t> prompt,
                                  const SampleOptions& options) {
  for (const std::int32_t token : prompt) {
    if (token < 0 || token >= vocabulary.size()) {
      throw InputError(fmt::format("the prompt's tokens must be below {}, found {}", vocabulary.size(), token));
    }
  }
  std::vector<std::int32_t> tokens;
  if (const int begin = vocabulary.token(text::Symbol::begin); begin >= 0) tokens.push_back(begin);
  tokens.insert(tokens.end(), prompt.begin(), prompt.end());
  if (tokens.empty()) tokens.push_back(vocabulary.token(text::Symbol::end));
  if (tokens.front() < 0) tokens.front() = vocabulary.token("\n");
  if (tokens.front() < 0) {
    tokens.front() = 0;
    while (vocabulary.is_symbol(tokens.front())) ++tokens.front();
  }
  if (options.start_twice) tokens.push_back(tokens.back());
  return tokens;
}

/// Symbols are no text: none is drawn but the one that ends it, and <unk> where that is asked for.
std::vector<std::int32_t> never_drawn(const text::Vocabulary& vocabulary, const SampleOptions& options) {
  std::vector<std::int32_t> tokens;
  for (const text::Symbol symbol : {text::Symbol::unknown, text::Symbol::padding, text::Symbol::begin}) {
    const int token = vocabulary.token(symbol);
    if (token >= 0 && !(symbol == text::Symbol::unknown && options.unknown)) tokens.push_back(token);
  }
  return tokens;
}

bool worth_sharing(const model::Network& network, std::size_t samples) {
  constexpr std::size_t kWorthSharing = 250'000;  // multiply-adds
  return network.parameters().arena().size() * samples >= kWorthSharing;
}

namespace {

std::unique_ptr<ThreadTeam> make_team(const model::Network& network, std::size_t count, int threads) {
  if (threads == 1 || !worth_sharing(network, count)) return nullptr;
  return std::make_unique<ThreadTeam>(threads);
}

/// The states of all samples, and the logits of what comes next.
class Writers {
 public:
  Writers(const model::Network& network, const std::vector<std::int32_t>& opening, std::size_t count,
          const SampleOptions& options)
      : network_(network),
        options_(options),
        team_(make_team(network, count, options.threads)),
        state_(network.options(), static_cast<int>(count)),
        logits_(count, static_cast<std::size_t>(network.vocabulary_size())),
        tokens_(count) {
    if (options.window > 0) {
      read_.assign(count, opening);
      read_windows();
      return;
    }
    model::State primed(network.options(), 1);
    Matrix primed_logits(1, logits_.cols());
    for (const std::int32_t token : opening) network.step({&token, 1}, primed, primed_logits, team_.get());
    for (std::size_t i = 0; i < count; ++i) {
      state_.copy_stream(primed, 0, static_cast<int>(i));
      std::ranges::copy(primed_logits.values(), logits_.row(i));
    }
  }

  [[nodiscard]] std::span<const float> logits(std::size_t sample) const {
    return {logits_.row(sample), logits_.cols()};
  }

  /// Every sample goes on with its token.
  void read(std::span<const std::int32_t> tokens) {
    if (options_.window == 0) {
      network_.step(tokens, state_, logits_, team_.get());
      return;
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) read_[i].push_back(tokens[i]);
    read_windows();
  }

 private:
  void read_windows() {
    if (options_.window_state == WindowState::zero) state_.zero();
    const std::size_t length = read_.front().size();
    for (std::size_t at = length - std::min(length, static_cast<std::size_t>(options_.window)); at < length; ++at) {
      for (std::size_t i = 0; i < read_.size(); ++i) tokens_[i] = read_[i][at];
      network_.step(tokens_, state_, logits_, team_.get());
    }
  }

  const model::Network& network_;
  SampleOptions options_;
  std::unique_ptr<ThreadTeam> team_;
  model::State state_;
  Matrix logits_;
  std::vector<std::int32_t> tokens_;
  std::vector<std::vector<std::int32_t>> read_;  // by sample, for windows alone
};

}  // namespace

void generate(const model::Model& model, std::span<const std::int32_t> prompt, int length, int num_samples,
              const SampleOptions& options, const OnCharacter& on_character, std::uint64_t first_sample) {
  require_at_least(length, 0, "the number of characters to write");
  require_at_least(num_samples, 1, "the number of samples");
  const auto& [vocabulary, network] = model;
  const auto count = static_cast<std::size_t>(num_samples);
  Sampler sampler(options, never_drawn(vocabulary, options));
  Writers writers(network, opening(vocabulary, prompt, options), count, options);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.push_back({.random = RandomStream(options.seed, RandomPurpose::sample, first_sample + i)});
  }

  const int end = vocabulary.token(text::Symbol::end);
  std::vector<std::int32_t> tokens(count);
  std::string character;
  for (int position = 0; position < length; ++position) {
    if (position > 0) writers.read(tokens);
    for (std::size_t i = 0; i < count; ++i) {
      Sample& sample = samples[i];
      if (!sample.writing) continue;
      tokens[i] = sampler.draw(writers.logits(i), sample.random.uniform_double(static_cast<std::uint64_t>(position)));
      if (tokens[i] == end) {
        sample.writing = false;
        continue;
      }
      character = sample.whole.add(vocabulary.entry(tokens[i]));
      if (character.empty()) continue;
      sample.writing = on_character(static_cast<int>(i), character);
      if (!sample.writing) sample.whole.take_rest();
      if (options.stop.empty()) continue;
      sample.tail += character;
      if (sample.tail.ends_with(options.stop)) sample.writing = false;
      if (sample.tail.size() > options.stop.size()) sample.tail.erase(0, sample.tail.size() - options.stop.size());
    }
    if (std::ranges::none_of(samples, &Sample::writing)) break;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (const std::string rest = samples[i].whole.take_rest(); !rest.empty()) on_character(static_cast<int>(i), rest);
  }
}

std::vector<Candidate> next_candidates(const model::Model& model, std::span<const std::int32_t> context) {
  const auto& [vocabulary, network] = model;
  const Writers writers(network, opening(vocabulary, context, {}), 1, {});
  const std::span<const float> logits = writers.logits(0);
  const double greatest = *std::ranges::max_element(logits);
  std::vector<Candidate> candidates;
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    candidates.push_back({static_cast<std::int32_t>(i), std::exp(logits[i] - greatest)});
    sum += candidates.back().probability;
  }
  for (Candidate& candidate : candidates) candidate.probability /= sum;
  std::ranges::stable_sort(candidates, std::ranges::greater(), &Candidate::probability);
  return candidates;
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
