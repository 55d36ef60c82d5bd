#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>

#include "text/vocabulary.h"

/// The bodies of requests, read and checked: what is wrong in one is an ApiError that names the field.
namespace rune::server {

/// What one request may ask for at most.
struct RequestLimits {
  std::int64_t tokens = 65'536;         // written, of all its texts together
  std::int64_t prompt_tokens = 65'536;  // read, of all its prompts together
  std::int64_t texts = 128;
};

/// POST /v1/completions: OpenAI's fields, and top_k, unknown, state and keep_state.
struct CompletionRequest {
  std::string model;
  std::vector<std::string> prompts{""};
  std::string state;  // a name, where it goes on from one
  std::int64_t max_tokens = 16;
  std::int64_t n = 1;  // texts for each prompt
  SampleOptions sampling{};
  bool seed_given = false;
  std::vector<std::string> stop;
  std::optional<int> log_probabilities;  // so many of the most probable with each token
  bool echo = false;
  bool stream = false;
  bool include_usage = false;  // in a stream
  bool keep_state = false;
  text::Unknown unknown = text::Unknown::error;
};
CompletionRequest read_completion_request(std::string_view body, const RequestLimits& limits);

/// POST /v1/score.
struct ScoreRequest {
  std::string model;
  std::string text;
  std::string context;  // read before it
  text::Unknown unknown = text::Unknown::error;
};
ScoreRequest read_score_request(std::string_view body);

/// POST /v1/next.
struct NextRequest {
  std::string model;
  std::string prompt;
  std::string state;
  std::int64_t count = 20;  // of the most probable; 0: all
  text::Unknown unknown = text::Unknown::error;
};
NextRequest read_next_request(std::string_view body);

}  // namespace rune::server
