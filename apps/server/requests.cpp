#include "server/requests.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "server/error.h"
#include "server/json.h"

namespace rune::server {
namespace {

constexpr std::size_t kMostStops = 4;
constexpr std::size_t kLongestStop = 256;  // bytes
constexpr std::int64_t kMostProbable = 20;
constexpr double kHottest = 100;
constexpr double kColdest = 1e-3;  // but for 0

text::Unknown read_unknown(Fields& fields) {
  const std::string name = fields.text("unknown", "error");
  if (name != "error" && name != "skip") {
    throw ApiError(400, fmt::format("expected unknown to be error or skip, found '{}'", name), "unknown",
                   "invalid_value");
  }
  return name == "skip" ? text::Unknown::skip : text::Unknown::error;
}

SampleOptions read_sampling(Fields& fields) {
  SampleOptions sampling;
  const double temperature = fields.number("temperature", sampling.temperature, 0, kHottest);
  if (temperature > 0 && temperature < kColdest) {
    throw ApiError(
        400, fmt::format("expected temperature to be 0 or from {} to {}, found {}", kColdest, kHottest, temperature),
        "temperature", "invalid_value");
  }
  sampling.temperature = static_cast<float>(temperature);
  sampling.top_p = static_cast<float>(fields.number("top_p", sampling.top_p, kColdest, 1));
  sampling.top_k = static_cast<int>(fields.integer("top_k", sampling.top_k, 0, std::numeric_limits<int>::max()));
  constexpr auto kGreatest = std::numeric_limits<std::int64_t>::max();
  sampling.seed = static_cast<std::uint64_t>(fields.integer("seed", 1, 0, kGreatest));
  return sampling;
}

std::vector<std::string> read_stops(Fields& fields) {
  std::vector<std::string> stops = fields.texts("stop", kMostStops);
  for (const std::string& stop : stops) {
    if (!stop.empty() && stop.size() <= kLongestStop) continue;
    throw ApiError(
        400,
        fmt::format("expected every stop to be a text of 1 to {} bytes, found one of {}", kLongestStop, stop.size()),
        "stop", "invalid_value");
  }
  return stops;
}

// What OpenAI's interface has and a model of characters does not.
void refuse_what_there_is_not(Fields& fields, std::int64_t n) {
  fields.expect("best_of", n, "texts are not ranked here");
  fields.expect("presence_penalty", 0, "there are no penalties here");
  fields.expect("frequency_penalty", 0, "there are no penalties here");
  fields.expect("logit_bias", Json::object(), "there is no bias here");
  fields.expect("suffix", "", "a text goes on, it is not filled in");
  fields.ignore("user");
}

}  // namespace

CompletionRequest read_completion_request(std::string_view body, const RequestLimits& limits) {
  Fields fields(body);
  CompletionRequest request;
  request.model = fields.text("model", "");
  auto prompts = fields.texts("prompt", static_cast<std::size_t>(limits.texts));
  if (!prompts.empty()) request.prompts = std::move(prompts);
  request.state = fields.text("state", "");
  request.max_tokens = fields.integer("max_tokens", request.max_tokens, 0, limits.tokens);
  request.n = fields.integer("n", request.n, 1, limits.texts);
  request.sampling = read_sampling(fields);
  request.seed_given = fields.has("seed");
  request.stop = read_stops(fields);
  if (fields.has("logprobs")) request.log_probabilities = 0;
  const std::int64_t logprobs = fields.integer("logprobs", 0, 0, kMostProbable);
  if (request.log_probabilities) request.log_probabilities = static_cast<int>(logprobs);
  request.echo = fields.boolean("echo", false);
  request.stream = fields.boolean("stream", false);
  Fields stream_options = fields.object("stream_options");
  request.include_usage = stream_options.boolean("include_usage", false);
  stream_options.ignore("include_obfuscation");
  stream_options.refuse_others();
  request.keep_state = fields.boolean("keep_state", false);
  request.unknown = read_unknown(fields);
  refuse_what_there_is_not(fields, request.n);
  fields.refuse_others();

  const auto texts = static_cast<std::int64_t>(request.prompts.size()) * request.n;
  if (texts > limits.texts) {
    throw ApiError(400, fmt::format("expected at most {} texts, prompts times n, found {}", limits.texts, texts), "n",
                   "invalid_value");
  }
  if (texts * request.max_tokens > limits.tokens) {
    throw ApiError(400,
                   fmt::format("expected at most {} tokens in all texts together, found {} times {}", limits.tokens,
                               texts, request.max_tokens),
                   "max_tokens", "invalid_value");
  }
  return request;
}

ScoreRequest read_score_request(std::string_view body) {
  Fields fields(body);
  ScoreRequest request;
  request.model = fields.text("model", "");
  request.text = fields.text("text", "");
  request.context = fields.text("context", "");
  request.unknown = read_unknown(fields);
  fields.refuse_others();
  if (request.text.empty()) throw ApiError(400, "expected text, what to score, found none", "text", "invalid_value");
  return request;
}

NextRequest read_next_request(std::string_view body) {
  Fields fields(body);
  NextRequest request;
  request.model = fields.text("model", "");
  request.prompt = fields.text("prompt", "");
  request.state = fields.text("state", "");
  request.count = fields.integer("count", request.count, 0, std::numeric_limits<int>::max());
  request.unknown = read_unknown(fields);
  fields.refuse_others();
  return request;
}

}  // namespace rune::server
