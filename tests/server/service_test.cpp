#include "server/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <nlohmann/json.hpp>

#include "generate/generator.h"
#include "server/page.h"
#include "server/tiny_model.h"
#include "text/utf8.h"

namespace rune::server {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class ServiceTest : public testing::Test {
 protected:
  explicit ServiceTest(std::shared_ptr<const model::Model> model = tiny_model()) : model_(std::move(model)) {}

  /// The whole answer to a request, for which the engine works as long as it has to.
  Response ask(const Request& request) {
    if (auto refused = service_.refuse(request)) return *refused;
    Reply reply = service_.answer(request);
    if (reply.pending == nullptr) return reply.response;
    Response response = reply.response;
    for (bool busy = true; !reply.pending->take(response); busy = service_.engine().step()) {
      if (!busy) {
        ADD_FAILURE() << "nothing is left to do, and there is no answer";
        break;
      }
    }
    return response;
  }
  json completion(const json& body) {
    const Response response = ask(post("/v1/completions", body.dump()));
    EXPECT_EQ(response.status, 200U) << response.body;
    return json::parse(response.body);
  }
  json refusal(const std::string& path, const std::string& body, unsigned status) {
    const Response response = ask(post(path, body));
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body).at("error");
  }
  /// The events of a stream, the last of them [DONE].
  std::vector<json> events(const json& body) {
    const Response response = ask(post("/v1/completions", body.dump()));
    EXPECT_EQ(response.content_type, "text/event-stream");
    std::vector<json> found;
    std::string_view rest = response.body;
    while (!rest.empty()) {
      const std::size_t end = rest.find("\n\n");
      EXPECT_TRUE(rest.starts_with("data: "));
      const std::string_view data = rest.substr(6, end - 6);
      rest.remove_prefix(end + 2);
      if (data == "[DONE]") {
        EXPECT_EQ(rest, "");
        return found;
      }
      found.push_back(json::parse(data));
    }
    ADD_FAILURE() << "no [DONE] in " << response.body;
    return found;
  }
  [[nodiscard]] std::string written(const std::string& prompt, int length, const SampleOptions& options) const {
    const auto tokens = model_->vocabulary.encode(prompt, text::Unknown::error, "prompt");
    return generate::generate_text(*model_, tokens, length, options);
  }

  std::shared_ptr<const model::Model> model_;
  Service service_{Models(std::vector<ServedModel>{{"tiny", model_, 1}}), quiet_options()};
};

TEST_F(ServiceTest, ACompletionIsTheTextOfItsSeed) {
  const json answer =
      completion({{"model", "tiny"}, {"prompt", "abé"}, {"max_tokens", 40}, {"seed", 7}, {"temperature", 0.8}});
  const auto& choice = answer.at("choices").at(0);
  EXPECT_EQ(choice.at("text"), written("abé", 40, {.temperature = 0.8F, .seed = 7}));
  EXPECT_EQ(choice.at("finish_reason"), "length");
  EXPECT_EQ(choice.at("logprobs"), nullptr);
  EXPECT_EQ(answer.at("object"), "text_completion");
  EXPECT_EQ(answer.at("model"), "tiny");
  EXPECT_EQ(answer.at("seed"), 7);
  EXPECT_EQ(answer.at("usage"), (json{{"prompt_tokens", 3}, {"completion_tokens", 40}, {"total_tokens", 43}}));
  EXPECT_EQ(completion({{"prompt", ""}, {"seed", 7}}).at("choices").at(0).at("text"), written("", 16, {.seed = 7}));
}

TEST_F(ServiceTest, WithoutASeedOneIsChosenAndTold) {
  const json answer = completion({{"max_tokens", 60}});
  const json again = completion({{"max_tokens", 60}, {"seed", answer.at("seed")}});
  EXPECT_EQ(again.at("choices"), answer.at("choices"));
  EXPECT_NE(completion({{"max_tokens", 60}}).at("seed"), answer.at("seed"));
  EXPECT_LT(answer.at("seed").get<double>(), 0x1p53);
}

TEST_F(ServiceTest, SeveralTextsOfSeveralPrompts) {
  const json answer = completion({{"prompt", {"a", "bc"}}, {"n", 2}, {"max_tokens", 20}, {"seed", 3}});
  const auto& choices = answer.at("choices");
  ASSERT_EQ(choices.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(choices[i].at("index"), i);
  EXPECT_EQ(choices[0].at("text"), written("a", 20, {.seed = 3}));
  EXPECT_EQ(choices[2].at("text"), written("bc", 20, {.seed = 3}));
  EXPECT_NE(choices[0].at("text"), choices[1].at("text"));
  EXPECT_EQ(answer.at("usage").at("completion_tokens"), 80);
}

TEST_F(ServiceTest, AStreamIsTheSameTextInEvents) {
  const json body{{"prompt", "ab"}, {"n", 2},         {"max_tokens", 30},
                  {"seed", 5},      {"stream", true}, {"stream_options", {{"include_usage", true}}}};
  json whole = body;
  whole["stream"] = false;
  const auto expected = completion(whole);
  std::vector<std::string> texts(2);
  std::vector<json> reasons(2);
  const auto found = events(body);
  for (const json& event : found) {
    EXPECT_EQ(event.at("id"), found[0].at("id"));
    for (const json& choice : event.at("choices")) {
      const auto index = choice.at("index").get<std::size_t>();
      EXPECT_EQ(reasons[index], nullptr) << "nothing follows the end";
      texts[index] += choice.at("text").get<std::string>();
      reasons[index] = choice.at("finish_reason");
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(texts[i], expected.at("choices")[i].at("text"));
    EXPECT_EQ(reasons[i], "length");
  }
  EXPECT_GT(found.size(), 10U) << "not all at once";
  EXPECT_TRUE(found.back().at("choices").empty());
  EXPECT_EQ(found.back().at("usage"), expected.at("usage"));
}

TEST_F(ServiceTest, AStopTextIsNotPartOfTheText) {
  const std::string whole = written("a", 200, {.seed = 2});
  const auto characters = text::decode_utf8(whole, "text");
  const std::string stop = text::encode_utf8(std::u32string_view(characters).substr(60, 3));
  const std::string expected = whole.substr(0, whole.find(stop));
  for (const bool stream : {false, true}) {
    const json body{
        {"prompt", "a"}, {"max_tokens", 200}, {"seed", 2}, {"stop", {stop, "never there"}}, {"stream", stream}};
    std::string text;
    json reason;
    for (const json& answer : stream ? events(body) : std::vector<json>{completion(body)}) {
      text += answer.at("choices").at(0).at("text").get<std::string>();
      reason = answer.at("choices").at(0).at("finish_reason");
    }
    EXPECT_EQ(text, expected);
    EXPECT_EQ(reason, "stop");
  }
}

TEST_F(ServiceTest, LogProbabilitiesAreTheModelsOwn) {
  const json answer = completion(
      {{"prompt", "ab"}, {"max_tokens", 5}, {"seed", 1}, {"temperature", 0}, {"logprobs", 3}, {"echo", true}});
  const auto& choice = answer.at("choices").at(0);
  const auto& logprobs = choice.at("logprobs");
  EXPECT_TRUE(choice.at("text").get<std::string>().starts_with("ab"));
  ASSERT_EQ(logprobs.at("tokens").size(), 7U);
  EXPECT_EQ(logprobs.at("token_logprobs")[0], nullptr) << "nothing stood before the first";
  EXPECT_EQ(logprobs.at("top_logprobs")[0], nullptr);
  std::vector<std::int32_t> context;
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(logprobs.at("text_offset")[i], i);
    const auto text = logprobs.at("tokens")[i].get<std::string>();
    if (i > 0) {
      const auto candidates = generate::next_candidates(*model_, context);
      const auto expected = std::ranges::find_if(candidates, [&](const generate::Candidate& candidate) {
        return model_->vocabulary.decode({&candidate.token, 1}) == text;
      });
      EXPECT_NEAR(logprobs.at("token_logprobs")[i].get<double>(), std::log(expected->probability), 1e-6);
      ASSERT_EQ(logprobs.at("top_logprobs")[i].size(), 3U);
      if (i > 1) {
        EXPECT_EQ(logprobs.at("top_logprobs")[i].at(text), logprobs.at("token_logprobs")[i]) << "temperature 0";
      }
    }
    const auto token = model_->vocabulary.encode(text, text::Unknown::error, "token");
    context.push_back(token[0]);
  }
}

TEST_F(ServiceTest, AStateGoesOnWithoutTheText) {
  const json first = completion({{"prompt", "abc"}, {"max_tokens", 10}, {"seed", 4}, {"keep_state", true}});
  const std::string state = first.at("choices").at(0).at("state");
  const std::string text = first.at("choices").at(0).at("text");
  const json branch = completion({{"state", state}, {"prompt", "de"}, {"max_tokens", 25}, {"seed", 9}});
  EXPECT_EQ(branch.at("choices").at(0).at("text"), written("abc" + text + "de", 25, {.seed = 9}));
  EXPECT_EQ(branch.at("usage").at("prompt_tokens"), 2);
  const json go_on = completion({{"state", state}, {"max_tokens", 25}, {"seed", 9}});
  EXPECT_EQ(go_on.at("choices").at(0).at("text"), written("abc" + text, 25, {.seed = 9}));
  EXPECT_EQ(refusal("/v1/completions", R"({"state":"state-1"})", 404).at("code"), "state_not_found");
}

TEST_F(ServiceTest, ScoreIsTheSurpriseOfEachCharacter) {
  const Response response = ask(post("/v1/score", R"({"text":"abba","context":"e"})"));
  const json answer = json::parse(response.body);
  ASSERT_EQ(answer.at("characters"), (json{"a", "b", "b", "a"}));
  const auto all = model_->vocabulary.encode("eabba", text::Unknown::error, "");
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    for (const auto& [token, probability] : generate::next_candidates(*model_, std::span(all).first(i + 1))) {
      if (token != all[i + 1]) continue;
      EXPECT_NEAR(answer.at("surprise")[i].get<double>(), -std::log2(probability), 1e-6);
      sum -= std::log2(probability);
    }
  }
  EXPECT_NEAR(answer.at("bits_per_character").get<double>(), sum / 4, 1e-6);
  EXPECT_NEAR(answer.at("loss").get<double>(), sum / 4 * std::numbers::ln2, 1e-6);
}

TEST_F(ServiceTest, NextIsTheDistribution) {
  const json answer = json::parse(ask(post("/v1/next", R"({"prompt":"ab","count":0})")).body);
  const auto expected = generate::next_candidates(*model_, std::vector<std::int32_t>{1, 2});
  ASSERT_EQ(answer.at("characters").size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& found = answer.at("characters")[i];
    EXPECT_EQ(found.at("character"), model_->vocabulary.decode({&expected[i].token, 1}));
    EXPECT_NEAR(found.at("probability").get<double>(), expected[i].probability, 1e-6);
  }
  EXPECT_EQ(json::parse(ask(post("/v1/next", R"({"count":2})")).body).at("characters").size(), 2U);
}

TEST_F(ServiceTest, ErrorsHaveOpenAisForm) {
  const json error = refusal("/v1/completions", R"({"model":"other"})", 404);
  EXPECT_EQ(error.at("type"), "invalid_request_error");
  EXPECT_EQ(error.at("param"), "model");
  EXPECT_EQ(error.at("code"), "model_not_found");
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("tiny"));
  EXPECT_THAT(refusal("/v1/completions", R"({"prompt":"xyz"})", 400).at("message").get<std::string>(),
              HasSubstr("'x'"));
  EXPECT_EQ(refusal("/v1/completions", "{", 400).at("param"), nullptr);
  EXPECT_EQ(completion({{"prompt", "xayz"}, {"unknown", "skip"}, {"seed", 1}}).at("usage").at("prompt_tokens"), 1);
}

TEST_F(ServiceTest, AFullQueueIsABusyServer) {
  ServiceOptions options = quiet_options();
  options.engine.queue = 2;
  Service busy(tiny_models(), options);
  std::vector<Reply> waiting;
  for (int i = 0; i < 2; ++i) waiting.push_back(busy.answer(post("/v1/completions", "{}")));
  const Reply refused = busy.answer(post("/v1/completions", "{}"));
  EXPECT_EQ(refused.response.status, 503U);
  EXPECT_EQ(json::parse(refused.response.body).at("error").at("type"), "overloaded_error");
  waiting.clear();  // the clients leave
  EXPECT_EQ(busy.answer(post("/v1/completions", "{}")).response.status, 200U);
}

TEST_F(ServiceTest, AClientThatLeavesEndsItsText) {
  Reply reply = service_.answer(post("/v1/completions", R"({"max_tokens":60000})"));
  for (int i = 0; i < 10; ++i) service_.engine().step();
  EXPECT_EQ(service_.engine().statistics().texts, 1U);
  reply.pending = nullptr;
  service_.engine().step();
  EXPECT_FALSE(service_.engine().step());
  EXPECT_EQ(service_.engine().statistics().texts, 0U);
}

TEST_F(ServiceTest, PathsMethodsAndTypes) {
  EXPECT_EQ(ask(get("/health")).body, R"({"status":"ok"})");
  EXPECT_EQ(ask(get("/nothing")).status, 404U);
  EXPECT_EQ(ask(get("/v1/completions")).status, 405U);
  EXPECT_EQ(ask(get("/v1/completion")).status, 404U);
  EXPECT_EQ(ask(get("/../../etc/passwd")).status, 404U);
  EXPECT_EQ(ask(get("/api/runsx")).status, 404U);
  Request typed = post("/v1/completions", "{}");
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"}) {
    typed.headers.back().second = type;
    EXPECT_EQ(ask(typed).status, 415U) << type;
  }
  typed.headers.back().second = "application/json; charset=utf-8";
  EXPECT_EQ(ask(typed).status, 200U);
  Request odd = get("/health");
  for (const char* method : {"", "ET", "DELETE", "get"}) {
    odd.method = method;
    EXPECT_EQ(ask(odd).status, 405U) << method;
  }
}

TEST_F(ServiceTest, ModelsAndMetricsSayWhatThereIs) {
  const json models = json::parse(ask(get("/v1/models")).body);
  ASSERT_EQ(models.at("data").size(), 1U);
  EXPECT_EQ(models.at("data")[0].at("id"), "tiny");
  EXPECT_EQ(models.at("data")[0].at("object"), "model");
  EXPECT_EQ(models.at("data")[0].at("unit"), "char");
  EXPECT_EQ(models.at("data")[0].at("lowercase"), false);
  completion({{"prompt", "ab"}, {"max_tokens", 3}});
  const std::string metrics = ask(get("/metrics")).body;
  EXPECT_THAT(metrics, HasSubstr("\nrune_characters_read_total 2\n"));
  EXPECT_THAT(metrics, HasSubstr("\nrune_characters_written_total 3\n"));
  EXPECT_THAT(metrics, HasSubstr("# TYPE rune_requests_total counter\n"));
}

TEST_F(ServiceTest, AnswersCarryWhatBrowsersMustKnow) {
  const Handler handler = service_.handler();
  const Reply reply = handler.answer(get("/"));
  EXPECT_EQ(reply.response.status, page_files().empty() ? 404U : 200U);
  EXPECT_THAT(reply.response.body, HasSubstr(page_files().empty() ? "built without its page" : "<title>rune</title>"));
  for (const PageFile& file : page_files()) {
    EXPECT_EQ(handler.answer(get(std::string(file.path))).response.content_type, file.content_type);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : reply.response.headers) names.push_back(name);
  EXPECT_THAT(names, testing::IsSupersetOf({"Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"}));
  EXPECT_THAT(names, testing::Not(testing::Contains("Access-Control-Allow-Origin")));
}

TEST(CountersTest, AreWhatPrometheusReads) {
  Counters counters;
  counters.count("/health", 200, std::chrono::milliseconds(10));
  counters.count("/health", 200, std::chrono::seconds(3));
  const std::string text = counters.text();
  EXPECT_THAT(text, HasSubstr("rune_requests_total{route=\"/health\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rune_request_seconds_bucket{route=\"/health\",le=\"0.02\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rune_request_seconds_bucket{route=\"/health\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rune_request_seconds_sum{route=\"/health\"} 3.01\n"));
}

/// A model of bytes: what it writes need not be text.
class ByteServiceTest : public ServiceTest {
 protected:
  ByteServiceTest()
      : ServiceTest(tiny_model(text::Vocabulary(
            {.entries = {"\n", "a", "\xC3", "\xA9", "\xF0", "\x9F", "\x98", "\x80"}, .form = {.unit = Unit::byte}}))) {}
};

TEST_F(ByteServiceTest, WritesWholeCharactersAndReplacesWhatIsNone) {
  const json body{{"prompt", "aé\U0001F600"}, {"max_tokens", 300}, {"seed", 1}};
  const json answer = completion(body);
  const std::string bytes = written("aé\U0001F600", 300, {.seed = 1});
  EXPECT_EQ(answer.at("choices")[0].at("text"), text::replace_invalid(bytes));
  EXPECT_THAT(bytes, testing::Not(testing::StrEq(text::replace_invalid(bytes))));
  EXPECT_EQ(answer.at("usage"), (json{{"prompt_tokens", 7}, {"completion_tokens", 300}, {"total_tokens", 307}}));

  json streamed = body;
  streamed["stream"] = true;
  std::string text;
  for (const json& event : events(streamed)) text += event.at("choices")[0].at("text").get<std::string>();
  EXPECT_EQ(text, text::replace_invalid(bytes));
}

TEST_F(ByteServiceTest, NamesBytesThatAreNoText) {
  const json answer =
      completion({{"prompt", "aé"}, {"max_tokens", 40}, {"seed", 1}, {"logprobs", 2}, {"echo", true}}).at("choices")[0];
  const auto& tokens = answer.at("logprobs").at("tokens");
  ASSERT_EQ(tokens.size(), 43U);
  EXPECT_EQ(tokens[0], "a");
  EXPECT_EQ(tokens[1], "bytes:\\xC3");
  EXPECT_EQ(tokens[2], "bytes:\\xA9");
  EXPECT_THAT(answer.at("text").get<std::string>(), testing::StartsWith("aé"));
  EXPECT_EQ(answer.at("logprobs").at("text_offset")[2], 1) << "the character that its last byte completes";
}

}  // namespace
}  // namespace rune::server
