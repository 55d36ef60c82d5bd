#include "server/runs_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>

#include <nlohmann/json.hpp>

#include "generate/generator.h"
#include "server/error.h"
#include "server/result_of.h"
#include "server/tiny_model.h"
#include "server/worker.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

namespace rune::server {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class RunsApiTest : public testing::Test {
 protected:
  static Response ask(RunsApi& api, const Request& request) {
    Reply reply = guarded([&] { return api.answer(request); });
    return reply.pending == nullptr ? reply.response : result_of(reply);
  }
  Response ask(const std::string& method, const std::string& path, const std::string& body = "") {
    Request request = post("/api/runs" + path, body);
    request.method = method;
    return ask(api_, request);
  }
  json read(const std::string& path) {
    const Response response = ask("GET", path);
    EXPECT_EQ(response.status, 200U) << response.body;
    return json::parse(response.body);
  }
  void train(const std::string& name, double learning_rate = 0.02) const {
    TrainOptions options = train::train_options();
    options.optimizer.learning_rate = learning_rate;
    train::start(folder_ / "runs" / name, options).run({});
  }
  /// Ids by name.
  std::map<std::string, std::string> ids() {
    std::map<std::string, std::string> found;
    const json list = read("");
    for (const json& run : list.at("runs")) found[run.at("name")] = run.at("id");
    return found;
  }

  test::TemporaryFolder folder_;
  RunsApi api_{folder_ / "runs", {}, nullptr};
};

TEST_F(RunsApiTest, ListsRunsAndWhatTellsThemApart) {
  EXPECT_TRUE(read("").at("runs").empty());
  train("a");
  train("b");
  train("c", 0.01);
  const json runs = read("").at("runs");
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].at("name"), "a");
  EXPECT_EQ(runs[0].at("state"), "finished");
  EXPECT_EQ(runs[0].at("model"), "lstm 2 x 5");
  EXPECT_EQ(runs[0].at("last").at("step"), train::kSteps);
  EXPECT_LE(runs[0].at("best").at("validation_loss"), runs[0].at("last").at("validation_loss"));
  EXPECT_EQ(runs[0].at("config"), json::object());
  EXPECT_EQ(runs[2].at("config"), (json{{"optimizer.learning_rate", "0.01"}}));
}

TEST_F(RunsApiTest, ShowsOneRunWithItsCurvesAndSamples) {
  train("a");
  const std::string path = "/" + ids().at("a");
  EXPECT_EQ(read(path).at("config").at("train.batch_size"), "4");
  EXPECT_EQ(read(path).at("progress"), nullptr);
  const json metrics = read(path + "/metrics");
  EXPECT_EQ(metrics.at("step"), (json{3, 6, 9, 11}));
  EXPECT_EQ(metrics.at("validation_loss").size(), 4U);
  EXPECT_EQ(metrics.at("gradient_norm").size(), 4U);
  EXPECT_EQ(read(path + "/metrics?after=6").at("step"), (json{9, 11}));
  EXPECT_EQ(ask("GET", path + "/metrics?after=x").status, 400U);
  const json samples = read(path + "/samples").at("samples");
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(samples[0].at("step"), 3);
  EXPECT_NE(samples[0].at("text"), "");
  EXPECT_EQ(read(path + "/samples?after=9").at("samples"), (json{samples[3]}));
}

TEST_F(RunsApiTest, RenamesWithoutEverTakingAPath) {
  train("a");
  train("b");
  const std::string path = "/" + ids().at("a");
  for (const char* name : {"", "../x", "x/y", "/etc", ".", "..", ".hidden", "trash", "a\\u0000b", "a\\nb"}) {
    EXPECT_EQ(ask("PATCH", path, R"({"name":")" + std::string(name) + R"("})").status, 400U) << name;
  }
  EXPECT_EQ(ask("PATCH", path, R"({"name":")" + std::string(101, 'a') + R"("})").status, 400U);
  EXPECT_EQ(ask("PATCH", path, R"({"name":"b"})").status, 409U) << "never replaces another";
  EXPECT_EQ(ask("PATCH", path, R"({"name":7})").status, 400U);
  const json renamed = json::parse(ask("PATCH", path, R"({"name":"naïve run 2"})").body);
  EXPECT_EQ(read("/" + renamed.at("id").get<std::string>()).at("name"), "naïve run 2");
  EXPECT_EQ(ask("GET", path).status, 404U);
  EXPECT_EQ(ids().size(), 2U);
}

TEST_F(RunsApiTest, DeletesIntoATrashFolder) {
  namespace fs = std::filesystem;
  for (int i = 1; i <= 2; ++i) {
    train("a");
    EXPECT_EQ(ask("DELETE", "/" + ids().at("a")).status, 200U);
    EXPECT_TRUE(ids().empty());
  }
  EXPECT_TRUE(fs::exists(folder_ / "runs" / "trash" / "a" / "config.toml"));
  EXPECT_TRUE(fs::exists(folder_ / "runs" / "trash" / "a-2" / "config.toml"));
}

TEST_F(RunsApiTest, LiveRunsAreNeitherRenamedNorDeleted) {
  const auto live = train::start(folder_ / "runs" / "a", train::train_options());
  const std::string path = "/" + ids().at("a");
  EXPECT_EQ(read(path).at("state"), "live");
  EXPECT_EQ(ask("DELETE", path).status, 409U);
  EXPECT_EQ(ask("PATCH", path, R"({"name":"b"})").status, 409U);
  EXPECT_EQ(ask("POST", path + "/stop", "{}").status, 409U) << "it belongs to no training of the server's";
}

TEST_F(RunsApiTest, UnknownIdsAndWordsAreNotFound) {
  for (const char* path : {"/0123456789abcdef", "/../a", "/%2e%2e", "//a", "/0123456789abcdef/metrics"}) {
    EXPECT_EQ(ask("GET", path).status, 404U) << path;
  }
  train("a");
  EXPECT_EQ(ask("GET", "/a").status, 404U) << "a name is no id";
  const std::string path = "/" + ids().at("a");
  EXPECT_EQ(ask("GET", path + "/best.safetensors").status, 404U);
  EXPECT_EQ(ask("POST", path, "{}").status, 405U);
  EXPECT_EQ(ask("GET", path + "/stop").status, 405U);
}

TEST_F(RunsApiTest, TheTrainingOfThisProcessObeys) {
  auto trainer = train::start(folder_ / "runs" / "a", train::train_options());
  LiveRun live(folder_ / "runs" / "a");
  RunsApi api(folder_ / "runs", {}, &live);
  const auto id = json::parse(ask(api, get("/api/runs")).body).at("runs").at(0).at("id").get<std::string>();
  EXPECT_EQ(ask(api, post("/api/runs/" + id + "/save", "{}")).status, 202U);
  EXPECT_TRUE(live.take_save_request());
  EXPECT_FALSE(live.take_save_request());

  EXPECT_EQ(ask(api, post("/api/runs/" + id + "/sample", R"({"temperature":-1})")).status, 400U);
  Reply sample = api.answer(post("/api/runs/" + id + "/sample", R"({"prompt":"ab","length":9,"seed":2})"));
  train::Observer observer;
  std::string expected;
  observer.on_step = [&](const train::Progress& progress) {
    live.after_step(progress, trainer);
    if (progress.step == 1) {
      const auto prompt = trainer.model().vocabulary.encode("ab", text::Unknown::error, "");
      expected = "ab" + generate::generate_text(trainer.model(), prompt, 9, {.temperature = 0.8F, .seed = 2});
    }
    if (progress.step == 2) ask(api, post("/api/runs/" + id + "/stop", "{}"));
  };
  observer.stop_requested = [&] { return live.stop_requested(); };
  EXPECT_EQ(trainer.run(observer), train::Outcome::stopped);
  EXPECT_EQ(trainer.step(), 2);
  Response response;
  ASSERT_TRUE(sample.pending->take(response));
  EXPECT_EQ(json::parse(response.body), (json{{"step", 1}, {"text", expected}}));
  EXPECT_EQ(json::parse(ask(api, get("/api/runs/" + id)).body).at("progress").at("step"), 2);
}

TEST_F(RunsApiTest, ASampleThatNobodyWritesAnyMoreIsAnswered) {
  auto live = std::make_unique<LiveRun>(folder_ / "runs" / "a");
  const Reply reply = live->request_sample({});
  live.reset();
  Response response;
  ASSERT_TRUE(reply.pending->take(response));
  EXPECT_EQ(response.status, 409U);
}

}  // namespace
}  // namespace rune::server
