#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <future>
#include <vector>

#include "apps/http_client.h"
#include "apps/program.h"

namespace rune::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class Serve : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(800));
    ASSERT_EQ(run(training("book.txt", "runs/book", {"--steps", "20", "--eval-every", "10"})).exit_code, 0);
  }
  void TearDown() override {
    if (server_ > 0) {
      kill(server_, SIGKILL);
      waitpid(server_, nullptr, 0);
    }
    ProgramTest::TearDown();
  }

  void serve(const Arguments& more = {"runs/book"}) {
    Arguments arguments{"serve", "--port", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_ = start(arguments);
    port_ = await_port("out");
    ASSERT_NE(port_, 0);
  }
  /// The port of the address that stands in a file; 0 if the program ends without one.
  [[nodiscard]] std::uint16_t await_port(const std::string& file) const {
    using Clock = std::chrono::steady_clock;
    for (const auto begin = Clock::now(); Clock::now() - begin < std::chrono::seconds(30);) {
      const std::string text = read(file);
      const std::size_t at = text.find("http://127.0.0.1:");
      if (at != std::string::npos && text.find('/', at + 7) != std::string::npos) {
        return static_cast<std::uint16_t>(std::atoi(text.c_str() + at + 17));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return 0;
  }
  [[nodiscard]] HttpClient::Answer ask(const std::string& request) const {
    HttpClient client(port_);
    client.send(request);
    return client.answer();
  }
  [[nodiscard]] json complete(const json& body) const {
    const auto answer = ask(HttpClient::post("/v1/completions", body.dump()));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  [[nodiscard]] double metric(const std::string& name) const {
    const std::string text = ask(HttpClient::get("/metrics")).body;
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + name.size() + 2);
  }
  Result end(int signal = SIGTERM) {
    kill(server_, signal);
    return wait(std::exchange(server_, -1));
  }

  pid_t server_ = -1;
  std::uint16_t port_ = 0;
};

TEST_F(Serve, WritesWhatSampleWrites) {
  serve();
  const json answer = complete({{"model", "book"}, {"prompt", "the ü"}, {"max_tokens", 120}, {"seed", 5}});
  EXPECT_EQ("the ü" + answer.at("choices").at(0).at("text").get<std::string>(),
            run({"sample", "runs/book", "-p", "the ü", "-n", "120", "--seed", "5"}).out);
  EXPECT_THAT(read("err"), testing::Not(HasSubstr("error")));
}

TEST_F(Serve, KeepsConnectionsAndStreamsEvents) {
  serve();
  HttpClient client(port_);
  const std::string body = R"({"max_tokens":300,"seed":1,"stream":true})";
  for (int i = 0; i < 2; ++i) {
    client.send(HttpClient::post("/v1/completions", body));
    const auto answer = client.answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.head, HasSubstr("text/event-stream"));
    EXPECT_THAT(answer.body, StartsWith("data: {"));
    EXPECT_TRUE(answer.body.ends_with("data: [DONE]\n\n"));
  }
  client.send(HttpClient::get("/health") + HttpClient::get("/health"));
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(client.answer().status, 200) << "one request behind the other";
  HttpClient old(port_);
  old.send("POST /v1/completions HTTP/1.0\r\nHost: a.localhost\r\n\r\n");
  EXPECT_EQ(old.answer().status, 403);
}

TEST_F(Serve, ManyClientsGetTheirOwnTexts) {
  serve();
  constexpr int kClients = 24;
  std::vector<std::string> alone;
  for (int i = 0; i < 4; ++i) {
    alone.push_back(complete({{"max_tokens", 200}, {"seed", i}}).at("choices").at(0).at("text"));
  }
  std::vector<std::future<std::string>> texts;
  for (int i = 0; i < kClients; ++i) {
    texts.push_back(std::async(std::launch::async, [this, i]() -> std::string {
      return complete({{"max_tokens", 200}, {"seed", i % 4}}).at("choices").at(0).at("text");
    }));
  }
  for (int i = 0; i < kClients; ++i)
    EXPECT_EQ(texts[static_cast<std::size_t>(i)].get(), alone[static_cast<std::size_t>(i % 4)]);
}

TEST_F(Serve, ADisconnectStopsTheText) {
  serve({"runs/book", "--max-tokens", "1000000000"});
  for (const char* stream : {"true", "false"}) {
    HttpClient client(port_);
    client.send(
        HttpClient::post("/v1/completions", R"({"max_tokens":1000000000,"stream":)" + std::string(stream) + "}"));
    while (metric("rune_texts") != 1) {}
    client.close();
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    while (metric("rune_texts") != 0 && Clock::now() - start < std::chrono::seconds(10)) {}
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(10));  // scripts/serve_figures measures the 100 ms
  }
}

TEST_F(Serve, RefusesForeignPagesNamesAndMalformedRequests) {
  serve();
  const auto status = [&](const std::string& request) { return ask(request).status; };
  EXPECT_EQ(status("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403);
  EXPECT_EQ(status(HttpClient::get("/health", "Origin: http://evil.example\r\n")), 403);
  EXPECT_EQ(status("GET /health HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status("noise\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 414);
  EXPECT_EQ(status(HttpClient::get("/health", "X: " + std::string(20'000, 'a') + "\r\n")), 431);
  EXPECT_EQ(status("POST /v1/next HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                   "99999999\r\n\r\n"),
            413);
  EXPECT_EQ(status(HttpClient::post("/v1/completions", R"({"temperature":-1})")), 400);
  EXPECT_EQ(status(HttpClient::get("/api/runs/../../etc/passwd")), 404);
  EXPECT_EQ(status("OPTIONS /v1/completions HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405);
  EXPECT_EQ(status(HttpClient::get("/health")), 200);
}

TEST_F(Serve, SigtermFinishesWhatIsOnItsWay) {
  serve();
  HttpClient idle(port_);
  idle.send(HttpClient::get("/health"));
  EXPECT_EQ(idle.answer().status, 200);
  HttpClient busy(port_);
  busy.send(HttpClient::post("/v1/completions", R"({"max_tokens":60000,"seed":1,"stream":true})"));
  ASSERT_TRUE(busy.receive());
  kill(server_, SIGTERM);
  EXPECT_FALSE(idle.receive()) << "closed at once";
  while (busy.receive()) {}
  EXPECT_TRUE(busy.received().ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"))
      << busy.received().substr(busy.received().size() - 80);
  EXPECT_FALSE(HttpClient(port_).connected());
  EXPECT_EQ(wait(std::exchange(server_, -1)).exit_code, 0);
}

TEST_F(Serve, BeyondThisMachineOnlyWithAKey) {
  const Result open = run({"serve", "runs/book", "--host", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_THAT(open.err, HasSubstr("--api-key-file"));
  write("key", "a-secret-of-many-letters\n");
  EXPECT_EQ(run({"serve", "--api-key-file", "key"}).exit_code, 1) << "everybody may read it";
  ASSERT_EQ(chmod(path("key").c_str(), 0600), 0);
  serve({"runs/book", "--api-key-file", "key"});
  EXPECT_EQ(ask(HttpClient::get("/v1/models")).status, 401);
  EXPECT_EQ(ask(HttpClient::get("/v1/models", "Authorization: Bearer a-secret-of-many-letters\r\n")).status, 200);
  EXPECT_EQ(ask(HttpClient::get("/health")).status, 200);
  const Result result = end();
  EXPECT_THAT(result.out + result.err, testing::Not(HasSubstr("secret")));
}

TEST_F(Serve, ShowsRunsUnderIdsOfItsOwn) {
  serve({});
  const json runs = json::parse(ask(HttpClient::get("/api/runs")).body).at("runs");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].at("name"), "book");
  const std::string base = "/api/runs/" + runs[0].at("id").get<std::string>();
  EXPECT_EQ(json::parse(ask(HttpClient::get(base + "/metrics")).body).at("step"), (json{10, 20}));
  EXPECT_EQ(ask(HttpClient::get("/api/runs/book")).status, 404);
  EXPECT_EQ(ask(HttpClient::post("/v1/completions", "{}")).status, 404) << "no model was named";
}

TEST_F(Serve, TrainServesTheTrainingThatRuns) {
  server_ = start(training("book.txt", "runs/live", {"--serve", "--port", "0", "--steps", "100000000"}));
  port_ = await_port("err");
  ASSERT_NE(port_, 0);
  std::string base;
  while (base.empty()) {
    const json list = json::parse(ask(HttpClient::get("/api/runs")).body);
    for (const json& run : list.at("runs")) {
      if (run.at("name") != "live") continue;
      EXPECT_EQ(run.at("state"), "live");
      base = "/api/runs/" + run.at("id").get<std::string>();
    }
  }
  const auto sample = ask(HttpClient::post(base + "/sample", R"({"prompt":"the ","length":20})"));
  EXPECT_EQ(sample.status, 200);
  EXPECT_THAT(json::parse(sample.body).at("text").get<std::string>(), StartsWith("the "));
  EXPECT_GT(json::parse(ask(HttpClient::get(base)).body).at("progress").at("step"), 0);
  EXPECT_EQ(ask(HttpClient::post(base + "/save", "{}")).status, 202);
  while (read("runs/live/log.txt").find("saved step") == std::string::npos) {}
  EXPECT_EQ(ask(HttpClient::post(base + "/stop", "{}")).status, 202);
  const Result result = wait(std::exchange(server_, -1));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("Stopped at step"));
}

class Runs : public Serve {};

TEST_F(Runs, AreListedWithTheirLosses) {
  ASSERT_EQ(run(training("book.txt", "runs/other", {"--steps", "10", "--eval-every", "10", "--lr", "0.01"})).exit_code,
            0);
  const Result result = run({"runs"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("book   finished  lstm 1 x 24    20"));
  EXPECT_THAT(result.out, HasSubstr("learning_rate=0.01"));
  const Result lines = run({"runs", "runs", "--sort", "loss", "--json"});
  std::istringstream stream(lines.out);
  double last = 0;
  int count = 0;
  for (std::string line; std::getline(stream, line); ++count) {
    const double loss = json::parse(line).at("best_validation_loss");
    EXPECT_GE(loss, last);
    last = loss;
  }
  EXPECT_EQ(count, 2);
  EXPECT_EQ(run({"runs", "absent"}).exit_code, 1);
}

}  // namespace
}  // namespace rune::test
