#include "server/completion.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "generate/generator.h"
#include "server/error.h"
#include "server/json.h"
#include "server/stop_filter.h"
#include "server/work.h"
#include "text/utf8.h"

namespace rune::server {
namespace {

// log(sum(exp(logits))), of which a token's logit is subtracted from to get its log-probability.
double log_sum_exp(std::span<const float> logits) {
  const double greatest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - greatest);
  return greatest + std::log(sum);
}

// The tokens of the greatest logits, ties by token.
std::vector<std::int32_t> most_probable(std::span<const float> logits, std::size_t count) {
  std::vector<std::int32_t> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto middle = tokens.begin() + static_cast<std::ptrdiff_t>(std::min(count, tokens.size()));
  std::ranges::partial_sort(tokens, middle, [&](std::int32_t a, std::int32_t b) {
    const float one = logits[static_cast<std::size_t>(a)];
    const float other = logits[static_cast<std::size_t>(b)];
    return one != other ? one > other : a < b;
  });
  tokens.erase(middle, tokens.end());
  return tokens;
}

// A token by itself: bytes that are no text as OpenAI names them, bytes:\xE2\x82.
std::string name_of(const model::Model& model, std::int32_t token) {
  const std::string& entry = model.vocabulary.entry(token);
  if (text::replace_invalid(entry) == entry) return entry;
  std::string name = "bytes:";
  for (const char byte : entry) name += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
  return name;
}

std::vector<std::int32_t> tokens_of(const std::string& text, const model::Model& model, text::Unknown unknown,
                                    const char* name, const RequestLimits& limits) {
  try {
    auto tokens = model.vocabulary.encode(text, unknown, name);
    if (std::cmp_less_equal(tokens.size(), limits.prompt_tokens)) return tokens;
    throw ApiError(400,
                   fmt::format("expected at most {} tokens in {}, found {}", limits.prompt_tokens, name, tokens.size()),
                   name, "invalid_value");
  } catch (const InputError& error) {
    throw ApiError(400, error.what(), name, "invalid_value");
  }
}

void submit(Engine& engine, Job job) {
  if (!engine.submit(std::move(job))) {
    throw ApiError(503, "too many requests are waiting; try again in a moment", "", "queue_full");
  }
}

// What a job reads where it begins: after a state the prompt alone.
struct Beginning {
  std::shared_ptr<const Snapshot> from;
  std::vector<std::int32_t> reading;
};

Beginning beginning(const std::string& state, const std::vector<std::int32_t>& prompt, const ServedModel& served,
                    States& states) {
  if (state.empty()) return {nullptr, generate::opening(served.model->vocabulary, prompt, {})};
  auto from = states.find(state, served.model);
  if (from == nullptr) {
    throw ApiError(404, "no such state of this model; it may have been forgotten, so give the text again", "state",
                   "state_not_found");
  }
  return {std::move(from), prompt};
}

std::int64_t seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

const char* finish_reason(End end) { return end == End::length ? "length" : "stop"; }

/// The texts of a completion, on their way from the engine to the client.
class Completion : public Work {
 public:
  Completion(const CompletionRequest& request, const ServedModel& served, States& states)
      : request_(request), served_(served), states_(states), id_("cmpl-" + random_digits(12)) {
    const std::size_t texts = request.prompts.size() * static_cast<std::size_t>(request.n);
    choices_.reserve(texts);
    for (std::size_t i = 0; i < texts; ++i) choices_.emplace_back(request.stop);
    prompts_.resize(request.prompts.size());
  }

  /// Begins to write after each prompt.
  static void begin(const std::shared_ptr<Completion>& completion, const Workshop& workshop);

 private:
  /// What the client gets of one text.
  struct Choice {
    explicit Choice(std::vector<std::string> stop) : filter(std::move(stop)) {}
    text::WholeCharacters whole;
    StopFilter filter;
    std::vector<Piece> pieces;   // let out, but not sent yet
    std::size_t characters = 0;  // sent
    bool echoed = false;
    std::optional<End> end;
    bool end_sent = false;
    std::string state;
  };
  struct Prompt {
    std::size_t first = 0;  // of its tokens, in what is read
    std::vector<std::int32_t> tokens;
    text::WholeCharacters whole;
    std::vector<Piece> pieces;  // for an echo
  };
  /// One of the prompts, as the engine sees it.
  class Writer : public Listener {
   public:
    Writer(std::shared_ptr<Completion> completion, std::size_t prompt)
        : completion_(std::move(completion)), prompt_(prompt) {}
    bool wanted() const override { return completion_->wanted(); }
    void reads(std::size_t index, std::span<const float> logits) override {
      completion_->reads(prompt_, index, logits);
    }
    bool writes(std::size_t text, std::int32_t token, std::span<const float> logits) override {
      return completion_->writes(prompt_, text, token, logits);
    }
    void ends(std::size_t text, End end, std::shared_ptr<const Snapshot> snapshot) override {
      completion_->ends(prompt_, text, end, std::move(snapshot));
    }
    void fails(const std::string& message) override { completion_->fail(message); }

   private:
    std::shared_ptr<Completion> completion_;
    std::size_t prompt_;
  };

  /// `whole`: of the text that the token belongs to.
  [[nodiscard]] Piece piece_of(std::int32_t token, text::WholeCharacters& whole, std::span<const float> logits) const;
  Choice& choice(std::size_t prompt, std::size_t text) {
    return choices_[prompt * static_cast<std::size_t>(request_.n) + text];
  }
  void echo(Prompt& prompt, Choice& choice) const;
  void let_out(Choice& choice) const;

  // On the engine's thread.
  void reads(std::size_t prompt, std::size_t index, std::span<const float> logits);
  bool writes(std::size_t prompt, std::size_t text, std::int32_t token, std::span<const float> logits);
  void ends(std::size_t prompt, std::size_t text, End end, std::shared_ptr<const Snapshot> snapshot);

  // Of the connection.
  [[nodiscard]] bool ready() const override;
  [[nodiscard]] bool take(Response& response) override;
  [[nodiscard]] bool all_ended() const {
    return std::ranges::all_of(choices_, [](const Choice& choice) { return choice.end.has_value(); });
  }
  [[nodiscard]] Json head() const;
  [[nodiscard]] Json usage() const;
  Json choice_json(Choice& choice, std::size_t index) const;
  [[nodiscard]] Json logprobs_json(const Choice& choice) const;
  void add_event(std::string& body, const Json& json) const { body += fmt::format("data: {}\n\n", dump(json)); }

  const CompletionRequest request_;
  const ServedModel served_;
  States& states_;
  const std::string id_;
  const std::int64_t created_ = seconds_since_1970();
  std::vector<Prompt> prompts_;
  std::vector<Choice> choices_;
  std::int64_t written_ = 0;  // tokens
};

void Completion::begin(const std::shared_ptr<Completion>& completion, const Workshop& workshop) {
  const CompletionRequest& request = completion->request_;
  const bool logprobs_of_prompt = request.echo && request.log_probabilities;
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < request.prompts.size(); ++i) {
    auto tokens = tokens_of(request.prompts[i], *completion->served_.model, request.unknown, "prompt", workshop.limits);
    auto [from, reading] = beginning(request.state, tokens, completion->served_, workshop.states);
    Prompt& prompt = completion->prompts_[i];
    prompt.first = reading.size() - tokens.size();
    prompt.tokens = std::move(tokens);
    jobs.push_back({.model = completion->served_.model,
                    .from = std::move(from),
                    .reading = std::move(reading),
                    .reports_reading = logprobs_of_prompt,
                    .length = request.max_tokens,
                    .texts = static_cast<std::size_t>(request.n),
                    .sampling = request.sampling,
                    .keeps_snapshot = request.keep_state,
                    .listener = std::make_shared<Writer>(completion, i)});
  }
  for (Job& job : jobs) submit(workshop.engine, std::move(job));
}

Piece Completion::piece_of(std::int32_t token, text::WholeCharacters& whole, std::span<const float> logits) const {
  Piece piece{.text = text::replace_invalid(whole.add(served_.model->vocabulary.entry(token))),
              .token = name_of(*served_.model, token)};
  if (!request_.log_probabilities || logits.empty()) return piece;
  const double sum = log_sum_exp(logits);
  piece.log_probability = logits[static_cast<std::size_t>(token)] - sum;
  for (const std::int32_t likely : most_probable(logits, static_cast<std::size_t>(*request_.log_probabilities))) {
    piece.likely.emplace_back(name_of(*served_.model, likely), logits[static_cast<std::size_t>(likely)] - sum);
  }
  return piece;
}

void Completion::reads(std::size_t prompt, std::size_t index, std::span<const float> logits) {
  const std::lock_guard lock(mutex);
  Prompt& read = prompts_[prompt];
  if (index < read.first) return;
  if (read.pieces.empty() && index > read.first) read.pieces.push_back(piece_of(read.tokens.front(), read.whole, {}));
  read.pieces.push_back(piece_of(read.tokens[index - read.first], read.whole, logits));
}

void Completion::echo(Prompt& prompt, Choice& choice) const {
  if (!request_.echo || std::exchange(choice.echoed, true)) return;
  if (prompt.pieces.empty() && !prompt.tokens.empty()) {
    prompt.pieces.push_back({.text = text::replace_invalid(served_.model->vocabulary.decode(prompt.tokens))});
  }
  choice.pieces = prompt.pieces;
}

// Without log-probabilities nobody asks where one piece ends and the next begins.
void Completion::let_out(Choice& choice) const {
  for (Piece& piece : choice.filter.take()) {
    if (request_.log_probabilities || (choice.pieces.empty() && !piece.text.empty())) {
      choice.pieces.push_back(std::move(piece));
    } else if (!choice.pieces.empty()) {
      choice.pieces.back().text += piece.text;
    }
  }
}

bool Completion::writes(std::size_t prompt, std::size_t text, std::int32_t token, std::span<const float> logits) {
  const std::lock_guard lock(mutex);
  Choice& written = choice(prompt, text);
  echo(prompts_[prompt], written);
  ++written_;
  const bool goes_on = written.filter.add(piece_of(token, written.whole, logits));
  let_out(written);
  wake_if_ready();
  return goes_on;
}

void Completion::ends(std::size_t prompt, std::size_t text, End end, std::shared_ptr<const Snapshot> snapshot) {
  const std::string state = snapshot == nullptr ? "" : states_.keep(served_.model, std::move(snapshot));
  const std::lock_guard lock(mutex);
  Choice& ended = choice(prompt, text);
  echo(prompts_[prompt], ended);
  if (const std::string rest = ended.whole.take_rest(); !rest.empty() && end != End::stop) {
    static_cast<void>(ended.filter.add({.text = text::replace_invalid(rest)}));
  }
  ended.filter.finish();
  let_out(ended);
  ended.state = state;
  ended.end = end;
  wake_if_ready();
}

bool Completion::ready() const {
  if (!request_.stream) return all_ended();
  return std::ranges::any_of(choices_, [](const Choice& choice) {
    return !choice.pieces.empty() || (choice.end.has_value() && !choice.end_sent);
  });
}

bool Completion::take(Response& response) {
  if (failed()) {
    if (request_.stream) {
      response.body += fmt::format("data: {}\n\n", json_of(failure()));
    } else {
      response = response_of(failure());
    }
    return true;
  }
  if (!request_.stream && !all_ended()) return false;
  Json answer = head();
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    Choice& choice = choices_[i];
    if (choice.end_sent || (choice.pieces.empty() && !choice.end)) continue;
    answer["choices"].push_back(choice_json(choice, i));
  }
  if (!request_.stream) {
    answer["usage"] = usage();
    response = json_response(answer);
    return true;
  }
  if (!answer["choices"].empty()) add_event(response.body, answer);
  if (!all_ended()) return false;
  if (request_.include_usage) {
    answer["choices"] = Json::array();
    answer["usage"] = usage();
    add_event(response.body, answer);
  }
  response.body += "data: [DONE]\n\n";
  return true;
}

Json Completion::head() const {
  return {{"id", id_},           {"object", "text_completion"},    {"created", created_},
          {"model", served_.id}, {"seed", request_.sampling.seed}, {"choices", Json::array()}};
}

Json Completion::usage() const {
  std::size_t read = 0;
  for (const Prompt& prompt : prompts_) read += prompt.tokens.size();
  const auto prompt_tokens = static_cast<std::int64_t>(read);
  return {
      {"prompt_tokens", prompt_tokens}, {"completion_tokens", written_}, {"total_tokens", prompt_tokens + written_}};
}

Json Completion::choice_json(Choice& choice, std::size_t index) const {
  std::string text;
  for (const Piece& piece : choice.pieces) text += piece.text;
  Json json{{"index", index},
            {"text", text},
            {"logprobs", request_.log_probabilities ? logprobs_json(choice) : Json()},
            {"finish_reason", choice.end ? Json(finish_reason(*choice.end)) : Json()}};
  if (!choice.state.empty()) json["state"] = choice.state;
  choice.characters += text::count_characters(text);
  choice.pieces.clear();
  choice.end_sent = choice.end.has_value();
  return json;
}

Json Completion::logprobs_json(const Choice& choice) const {
  Json tokens = Json::array();
  Json log_probabilities = Json::array();
  Json likely = Json::array();
  Json offsets = Json::array();
  std::size_t offset = choice.characters;
  for (const Piece& piece : choice.pieces) {
    if (piece.token.empty()) continue;  // the beginning of a character that was never finished
    tokens.push_back(piece.token);
    log_probabilities.push_back(piece.log_probability ? Json(*piece.log_probability) : Json());
    Json candidates = Json::object();
    for (const auto& [text, log_probability] : piece.likely) candidates[text] = log_probability;
    likely.push_back(piece.log_probability ? std::move(candidates) : Json());
    offsets.push_back(offset);
    offset += text::count_characters(piece.text);
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(log_probabilities)},
          {"top_logprobs", std::move(likely)},
          {"text_offset", std::move(offsets)}};
}

/// Reads a text and answers with what the model expected of it.
class Score : public Work, public Listener {
 public:
  Score(const ServedModel& served, std::vector<std::int32_t> tokens, std::size_t first)
      : served_(served), tokens_(std::move(tokens)), first_(first) {}

  [[nodiscard]] bool wanted() const override { return Work::wanted(); }
  void reads(std::size_t index, std::span<const float> logits) override {
    if (index < first_) return;
    const double log_probability = logits[static_cast<std::size_t>(tokens_[index - first_])] - log_sum_exp(logits);
    const std::lock_guard lock(mutex);
    log_probabilities_.push_back(log_probability);
  }
  bool writes(std::size_t, std::int32_t, std::span<const float>) override { return false; }
  void ends(std::size_t, End, std::shared_ptr<const Snapshot>) override {
    const std::lock_guard lock(mutex);
    ended_ = true;
    wake_if_ready();
  }
  void fails(const std::string& message) override { fail(message); }

 private:
  [[nodiscard]] bool ready() const override { return ended_; }
  [[nodiscard]] bool take(Response& response) override {
    if (failed()) {
      response = response_of(failure());
      return true;
    }
    if (!ended_) return false;
    Json characters = Json::array();
    Json surprise = Json::array();
    double sum = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const double bits = -log_probabilities_[i] / std::numbers::ln2;
      characters.push_back(name_of(*served_.model, tokens_[i]));
      surprise.push_back(bits);
      sum += bits;
    }
    const double bits_per_character = sum / static_cast<double>(tokens_.size());
    response = json_response({{"object", "score"},
                              {"model", served_.id},
                              {"characters", std::move(characters)},
                              {"surprise", std::move(surprise)},
                              {"bits_per_character", bits_per_character},
                              {"loss", bits_per_character * std::numbers::ln2}});
    return true;
  }

  const ServedModel served_;
  const std::vector<std::int32_t> tokens_;  // those that are scored
  const std::size_t first_;                 // of them, in what is read
  std::vector<double> log_probabilities_;
  bool ended_ = false;
};

/// Reads a prompt and answers with the distribution of what comes next.
class Expectation : public Work, public Listener {
 public:
  Expectation(const ServedModel& served, std::int64_t count) : served_(served), count_(count) {}

  [[nodiscard]] bool wanted() const override { return Work::wanted(); }
  void reads(std::size_t, std::span<const float>) override {}
  bool writes(std::size_t, std::int32_t, std::span<const float>) override { return false; }
  void ends(std::size_t, End, std::shared_ptr<const Snapshot> snapshot) override {
    const std::lock_guard lock(mutex);
    snapshot_ = std::move(snapshot);
    wake_if_ready();
  }
  void fails(const std::string& message) override { fail(message); }

 private:
  [[nodiscard]] bool ready() const override { return snapshot_ != nullptr; }
  [[nodiscard]] bool take(Response& response) override {
    if (failed()) {
      response = response_of(failure());
      return true;
    }
    if (snapshot_ == nullptr) return false;
    const std::span<const float> logits = snapshot_->logits.values();
    const double sum = log_sum_exp(logits);
    Json characters = Json::array();
    for (const std::int32_t token :
         most_probable(logits, count_ == 0 ? logits.size() : static_cast<std::size_t>(count_))) {
      characters.push_back({{"character", name_of(*served_.model, token)},
                            {"probability", std::exp(logits[static_cast<std::size_t>(token)] - sum)}});
    }
    response = json_response({{"object", "next"}, {"model", served_.id}, {"characters", std::move(characters)}});
    return true;
  }

  const ServedModel served_;
  const std::int64_t count_;
  std::shared_ptr<const Snapshot> snapshot_;
};

// A seed that JavaScript can hold exactly.
std::uint64_t any_seed() {
  constexpr int kBits = 53;
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) >> (64 - kBits);
}

}  // namespace

Reply complete(const CompletionRequest& asked, const Workshop& workshop) {
  CompletionRequest request = asked;
  if (!request.seed_given) request.sampling.seed = any_seed();
  const auto completion = std::make_shared<Completion>(request, workshop.models.find(request.model), workshop.states);
  Reply reply{.response = {}, .pending = Work::pending(completion), .streamed = request.stream};
  Completion::begin(completion, workshop);
  if (request.stream) reply.response.content_type = "text/event-stream";
  return reply;
}

Reply score(const ScoreRequest& request, const Workshop& workshop) {
  const ServedModel& served = workshop.models.find(request.model);
  const auto context = tokens_of(request.context, *served.model, request.unknown, "context", workshop.limits);
  const auto text = tokens_of(request.text, *served.model, request.unknown, "text", workshop.limits);
  if (text.empty())
    throw ApiError(400, "expected a text with characters that the model knows", "text", "invalid_value");
  std::vector<std::int32_t> reading = generate::opening(served.model->vocabulary, context, {});
  const auto work = std::make_shared<Score>(served, text, reading.size());
  reading.insert(reading.end(), text.begin(), text.end());
  Reply reply{.response = {}, .pending = Work::pending(work)};
  submit(workshop.engine,
         {.model = served.model, .reading = std::move(reading), .reports_reading = true, .listener = work});
  return reply;
}

Reply expect_next(const NextRequest& request, const Workshop& workshop) {
  const ServedModel& served = workshop.models.find(request.model);
  const auto prompt = tokens_of(request.prompt, *served.model, request.unknown, "prompt", workshop.limits);
  auto [from, reading] = beginning(request.state, prompt, served, workshop.states);
  const auto work = std::make_shared<Expectation>(served, request.count);
  Reply reply{.response = {}, .pending = Work::pending(work)};
  submit(workshop.engine, {.model = served.model,
                           .from = std::move(from),
                           .reading = std::move(reading),
                           .keeps_snapshot = true,
                           .listener = work});
  return reply;
}

}  // namespace rune::server
