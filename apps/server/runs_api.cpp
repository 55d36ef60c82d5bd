#include "server/runs_api.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "model/option_names.h"
#include "server/error.h"
#include "server/json.h"
#include "tools/runs.h"
#include "train/metrics.h"
#include "train/run_directory.h"

namespace rune::server {
namespace {

namespace fs = std::filesystem;

struct Column {
  const char* name;
  std::optional<double> tools::CurvePoint::*value;
};
constexpr Column kColumns[] = {{"step", &tools::CurvePoint::step},
                               {"epoch", &tools::CurvePoint::epoch},
                               {"characters", &tools::CurvePoint::characters},
                               {"seconds", &tools::CurvePoint::seconds},
                               {"train_loss", &tools::CurvePoint::train_loss},
                               {"validation_loss", &tools::CurvePoint::validation_loss},
                               {"learning_rate", &tools::CurvePoint::learning_rate},
                               {"gradient_norm", &tools::CurvePoint::gradient_norm},
                               {"characters_per_second", &tools::CurvePoint::characters_per_second}};

fs::path normal(const fs::path& path) { return (fs::absolute(path).lexically_normal() / "").parent_path(); }

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json json_of(const std::optional<tools::CurvePoint>& point) {
  if (!point) return {};
  Json json;
  for (const auto& [name, value] : kColumns) json[name] = or_null((*point).*value);
  return json;
}

Json json_of(const tools::ConfigEntries& entries) {
  Json json = Json::object();
  for (const auto& [key, value] : entries) json[key] = value;
  return json;
}

Json json_of(const train::Progress& progress) {
  return {{"step", progress.step},
          {"total_steps", progress.total_steps},
          {"epoch", progress.epoch},
          {"train_loss", progress.train_loss},
          {"validation_loss", or_null(progress.validation_loss)},
          {"learning_rate", progress.learning_rate},
          {"gradient_norm", progress.gradient_norm},
          {"characters_per_second", progress.characters_per_second},
          {"seconds_left", progress.seconds_left}};
}

Json json_of(const tools::RunSummary& run, const std::string& id, const tools::ConfigEntries& config) {
  return {{"id", id},
          {"name", run.name},
          {"state", model::name_of(run.state)},
          {"failure", run.failure.empty() ? Json() : Json(run.failure)},
          {"model", tools::model_text(run.config)},
          {"modified", run.modified},
          {"reports", run.reports},
          {"last", json_of(run.last)},
          {"best", json_of(run.best)},
          {"config", json_of(config)}};
}

Response metrics(const fs::path& run, double after) {
  const auto points = tools::read_points(run / "metrics.jsonl", after);
  Json json;
  for (const auto& [name, value] : kColumns) {
    Json column = Json::array();
    for (const tools::CurvePoint& point : points) column.push_back(or_null(point.*value));
    json[name] = std::move(column);
  }
  return json_response(json);
}

Response samples(const fs::path& run, double after) {
  Json list = Json::array();
  for (const train::Sample& sample : train::read_dated_samples(run / "samples.txt")) {
    if (static_cast<double>(sample.step) <= after) continue;
    list.push_back({{"step", sample.step}, {"text", sample.text}});
  }
  return json_response({{"samples", std::move(list)}});
}

LiveRun::SampleRequest read_sample_request(const std::string& body) {
  Fields fields(body.empty() ? "{}" : body);
  LiveRun::SampleRequest request;
  constexpr int kLongest = 2000;
  request.prompt = fields.text("prompt", request.prompt);
  request.length = static_cast<int>(fields.integer("length", request.length, 1, kLongest));
  request.temperature = static_cast<float>(fields.number("temperature", request.temperature, 1e-3, 100));
  request.seed = static_cast<std::uint64_t>(fields.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  fields.refuse_others();
  return request;
}

double step_in(const Request& request) {
  const auto text = request.query("after");
  if (!text) return -1;
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), step);
  if (error != std::errc() || end != text->data() + text->size() || step < 0) {
    throw ApiError(400, fmt::format("expected after to be a step, found '{}'", *text), "after", "invalid_value");
  }
  return static_cast<double>(step);
}

// "/api/runs/ID/WORD" behind "/api/runs": the id and the word, either of them may be empty.
std::pair<std::string, std::string> parts_of(std::string_view path) {
  path.remove_prefix(std::string_view("/api/runs").size());
  if (!path.empty()) path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  return {std::string(path.substr(0, slash)),
          slash == std::string_view::npos ? "" : std::string(path.substr(slash + 1))};
}

[[noreturn]] void refuse_method(const Request& request) {
  throw ApiError(405, fmt::format("{} does not know {}", request.path(), request.method), "", "method_not_allowed");
}

}  // namespace

RunsApi::RunsApi(const fs::path& folder, std::vector<fs::path> named, LiveRun* live)
    : folder_(normal(folder)), live_(live), named_(std::move(named)) {
  for (fs::path& run : named_) run = normal(run);
}

std::vector<fs::path> RunsApi::all() {
  std::vector<fs::path> runs = tools::runs_in(folder_);
  const std::lock_guard lock(mutex_);
  for (const fs::path& run : named_) {
    if (tools::is_run(run) && std::ranges::find(runs, run) == runs.end()) runs.push_back(run);
  }
  return runs;
}

// The same for the same path, so that a bookmark stays good.
std::string RunsApi::id_of(const fs::path& run) {
  constexpr std::size_t kDigits = 16;
  Hash hash;
  hash.update(run.string());
  std::string id = hash.digits().substr(0, kDigits);
  const std::lock_guard lock(mutex_);
  by_id_[id] = run;
  return id;
}

fs::path RunsApi::find(const std::string& id) {
  const auto known = [&]() -> std::optional<fs::path> {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return std::nullopt;
    return found->second;
  };
  if (!known()) {
    for (const fs::path& run : all()) id_of(run);
  }
  const auto run = known();
  if (!run || !tools::is_run(*run)) throw ApiError(404, "no run of this id", "", "run_not_found");
  return *run;
}

bool RunsApi::is_live_here(const fs::path& run) const { return live_ != nullptr && normal(live_->run()) == run; }

Reply RunsApi::answer(const Request& request) {
  const auto [id, word] = parts_of(request.path());
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (id.empty() && !word.empty()) throw ApiError(404, "nothing is there", "", "not_found");
  if (id.empty()) {
    if (!reads) refuse_method(request);
    return worker_.answer([this] { return list(); });
  }
  if (word == "stop" || word == "save" || word == "sample") {
    if (request.method != "POST") refuse_method(request);
    return command(id, word, request);
  }
  if (word == "metrics" || word == "samples") {
    if (!reads) refuse_method(request);
    return worker_.answer([this, id = id, reader = word == "samples" ? samples : metrics, after = step_in(request)] {
      return reader(find(id), after);
    });
  }
  if (!word.empty()) throw ApiError(404, "nothing is there", "", "not_found");
  if (reads) return worker_.answer([this, id = id] { return show(find(id)); });
  if (request.method == "DELETE") {
    return worker_.answer([this, id = id] {
      tools::trash_run(find(id));
      return json_response({{"id", id}, {"deleted", true}});
    });
  }
  if (request.method != "PATCH") refuse_method(request);
  Fields fields(request.body);
  const std::string name = fields.text("name", "");
  fields.refuse_others();
  return worker_.answer([this, id = id, name] { return rename(find(id), name); });
}

Response RunsApi::list() {
  const std::vector<fs::path> paths = all();
  const auto runs = tools::summarize_runs(paths);
  const auto different = tools::differences(runs);
  Json list = Json::array();
  for (std::size_t i = 0; i < runs.size(); ++i) list.push_back(json_of(runs[i], id_of(runs[i].path), different[i]));
  return json_response({{"runs", std::move(list)}});
}

Response RunsApi::show(const fs::path& run) {
  const auto summaries = tools::summarize_runs({&run, 1});
  if (summaries.empty()) throw ApiError(404, "no run of this id", "", "run_not_found");
  const tools::RunSummary& summary = summaries.front();
  Json json = json_of(summary, id_of(run), summary.config);
  json["progress"] = is_live_here(run) ? json_of(live_->progress()) : Json();
  return json_response(json);
}

Response RunsApi::rename(const fs::path& run, const std::string& name) {
  const fs::path renamed = tools::rename_run(run, name);
  {
    const std::lock_guard lock(mutex_);
    std::ranges::replace(named_, run, renamed);
  }
  return json_response({{"id", id_of(renamed)}, {"name", name}});
}

Reply RunsApi::command(const std::string& id, const std::string& word, const Request& request) {
  if (live_ == nullptr || id != id_of(normal(live_->run()))) {
    throw ApiError(409, "this process does not train the run; only `rune train --serve` can be asked to", "",
                   "not_live");
  }
  if (word == "sample") return live_->request_sample(read_sample_request(request.body));
  if (word == "stop") live_->request_stop();
  if (word == "save") live_->request_save();
  return {.response = json_response({{"requested", word}}, 202), .pending = nullptr};
}

}  // namespace rune::server
