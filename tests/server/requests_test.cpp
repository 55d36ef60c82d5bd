#include "server/requests.h"

#include <gtest/gtest.h>

#include "server/error.h"
#include "server/json.h"

namespace rune::server {
namespace {

const RequestLimits kLimits{.tokens = 1000, .prompt_tokens = 1000, .texts = 8};

CompletionRequest read(const std::string& body) { return read_completion_request(body, kLimits); }

/// The field that is to blame; "" where it is none, "accepted" where nothing is.
std::string blamed(const std::string& body) {
  try {
    read(body);
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), 400U) << body;
    EXPECT_NE(std::string(error.what()), "");
    return error.param();
  }
  return "accepted";
}

TEST(CompletionRequestTest, HasOpenAisDefaults) {
  const CompletionRequest request = read("{}");
  EXPECT_EQ(request.prompts, std::vector<std::string>{""});
  EXPECT_EQ(request.max_tokens, 16);
  EXPECT_EQ(request.n, 1);
  EXPECT_EQ(request.sampling, SampleOptions());
  EXPECT_FALSE(request.seed_given);
  EXPECT_FALSE(request.stream);
  EXPECT_EQ(request.log_probabilities, std::nullopt);
}

TEST(CompletionRequestTest, ReadsAllFields) {
  const CompletionRequest request =
      read(R"({"model":"m","prompt":["a","b"],"max_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":3,"n":2,)"
           R"("stop":["x","y"],"seed":9223372036854775807,"logprobs":5,"echo":true,"stream":true,)"
           R"("stream_options":{"include_usage":true},"state":"s","keep_state":true,"unknown":"skip",)"
           R"("best_of":2,"presence_penalty":0,"frequency_penalty":0.0,"logit_bias":{},"suffix":null,"user":"me"})");
  EXPECT_EQ(request.model, "m");
  EXPECT_EQ(request.prompts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request.max_tokens, 7);
  EXPECT_EQ(request.sampling.temperature, 0.5F);
  EXPECT_EQ(request.sampling.top_p, 0.9F);
  EXPECT_EQ(request.sampling.top_k, 3);
  EXPECT_EQ(request.sampling.seed, 9223372036854775807U);
  EXPECT_TRUE(request.seed_given);
  EXPECT_EQ(request.n, 2);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(request.log_probabilities, 5);
  EXPECT_TRUE(request.echo && request.stream && request.include_usage && request.keep_state);
  EXPECT_EQ(request.state, "s");
  EXPECT_EQ(request.unknown, text::Unknown::skip);
}

TEST(CompletionRequestTest, EveryNumberRefusesWhatItCannotBe) {
  const std::vector<std::string> never{
      "-1",     "1e999", "-1e999", "NaN",     "Infinity", "\"1\"", "true",
      "[1]",    "{}",    "1e20",   "-0.0001", "nan",      "0x10",  "99999999999999999999",
      "\"NaN\""};
  for (const char* field : {"max_tokens", "temperature", "top_p", "top_k", "n", "seed", "logprobs", "best_of"}) {
    for (const std::string& value : never) {
      const std::string body = "{\"" + std::string(field) + "\":" + value + "}";
      EXPECT_NE(blamed(body), "accepted") << body;
    }
  }
  for (const char* field : {"max_tokens", "top_k", "n", "seed", "logprobs"}) {
    EXPECT_EQ(blamed("{\"" + std::string(field) + "\":1.5}"), field);
  }
  for (const char* body : {R"({"temperature":101})", R"({"temperature":1e-9})", R"({"temperature":1e-320})"}) {
    EXPECT_EQ(blamed(body), "temperature") << body;
  }
  for (const char* body : {R"({"top_p":0})", R"({"top_p":1.01})", R"({"top_p":1e-300})"}) {
    EXPECT_EQ(blamed(body), "top_p") << body;
  }
  EXPECT_EQ(blamed(R"({"n":0})"), "n");
  EXPECT_EQ(blamed(R"({"logprobs":21})"), "logprobs");
  EXPECT_EQ(blamed(R"({"max_tokens":1001})"), "max_tokens");
  EXPECT_EQ(blamed(R"({"presence_penalty":0.1})"), "presence_penalty");
}

TEST(CompletionRequestTest, OtherTypesAreRefusedByName) {
  EXPECT_EQ(blamed(R"({"prompt":7})"), "prompt");
  EXPECT_EQ(blamed(R"({"prompt":[1,2]})"), "prompt");
  EXPECT_EQ(blamed(R"({"prompt":[]})"), "prompt");
  EXPECT_EQ(blamed(R"({"stream":"yes"})"), "stream");
  EXPECT_EQ(blamed(R"({"echo":1})"), "echo");
  EXPECT_EQ(blamed(R"({"stop":["a","b","c","d","e"]})"), "stop");
  EXPECT_EQ(blamed(R"({"stop":""})"), "stop");
  EXPECT_EQ(blamed(R"({"stream_options":[]})"), "stream_options");
  EXPECT_EQ(blamed(R"({"stream_options":{"include_usage":1}})"), "stream_options.include_usage");
  EXPECT_EQ(blamed(R"({"unknown":"maybe"})"), "unknown");
  EXPECT_EQ(blamed(R"({"temprature":1})"), "temprature");
  EXPECT_EQ(blamed(R"({"max_tokens":null,"stop":null,"stream":null,"seed":null})"), "accepted");
}

TEST(CompletionRequestTest, TextsAndTokensAreBoundedTogether) {
  EXPECT_EQ(blamed(R"({"n":8,"max_tokens":125})"), "accepted");
  EXPECT_EQ(blamed(R"({"n":8,"max_tokens":126})"), "max_tokens");
  EXPECT_EQ(blamed(R"({"prompt":["a","b"],"n":5})"), "n");
}

TEST(FieldsTest, WhatIsNoObjectOfOnceNamedFieldsIsRefused) {
  for (const std::string& body :
       {std::string(), std::string("["), std::string("[]"), std::string("null"), std::string("{\"a\":}"),
        std::string("{}{}"), std::string("{\"n\":1,\"n\":2}"), std::string("{\"prompt\":\"\xff\"}"),
        std::string("{\"prompt\":\"\\ud800\"}"), std::string("{\"n\":1,}"), std::string("{'n':1}"),
        std::string("{\"a\":") + std::string(9, '[') + std::string(9, ']') + "}", std::string(100'000, '[')}) {
    EXPECT_EQ(blamed(body), "") << body.substr(0, 40);
  }
}

TEST(FieldsTest, SuggestsTheFieldThatWasMeant) {
  try {
    read(R"({"max_token":3})");
    FAIL();
  } catch (const ApiError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'max_tokens'"), std::string::npos) << error.what();
  }
}

TEST(ScoreRequestTest, NeedsAText) {
  EXPECT_EQ(read_score_request(R"({"text":"abc","context":"x"})").text, "abc");
  EXPECT_THROW(read_score_request("{}"), ApiError);
  EXPECT_THROW(read_next_request(R"({"count":-1})"), ApiError);
  EXPECT_EQ(read_next_request("{}").count, 20);
}

}  // namespace
}  // namespace rune::server
