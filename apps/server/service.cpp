#include "server/service.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "server/error.h"
#include "server/json.h"
#include "server/page.h"
#include "server/worker.h"
#include "train/option_text.h"

namespace rune::server {
namespace {

constexpr const char* kPageLeftOut =
    "This rune was built without its page. The interface is there all the same: /v1/completions, /v1/models,\n"
    "/v1/score, /v1/next, /api/runs, /health and /metrics, which docs/server.md explains. To have the page, install\n"
    "Node.js with npm (scripts/install-deps does) and build again with -DRUNE_WEB=ON.\n";

bool reads(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

bool is_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  return content_type.starts_with(kJson) && (content_type.size() == kJson.size() || content_type[kJson.size()] == ';' ||
                                             content_type[kJson.size()] == ' ');
}

}  // namespace

/// A path, or the beginning of paths, and what it does.
struct Service::Route {
  std::string_view path;
  bool prefix;
  std::string_view methods;  // those that it knows
  Reply (*answer)(Service&, const Request&);
};

Service::Service(Models models, ServiceOptions options, LiveRun* live)
    : models_(std::move(models)),
      guard_(std::move(options.key), std::move(options.allowed_hosts)),
      limits_(options.limits),
      states_(options.states),
      engine_(options.engine),
      runs_(options.runs_folder, std::move(options.runs), live) {}

const Service::Route* Service::find_route(std::string_view path) {
  static constexpr auto kWhole = [](Response response) {
    return Reply{.response = std::move(response), .pending = nullptr};
  };
  static constexpr Route kRoutes[] = {
      {"/health", false, "GET HEAD",
       [](Service&, const Request&) {
         return kWhole(json_response({{"status", "ok"}}));
       }},
      {"/metrics", false, "GET HEAD", [](Service& service, const Request&) { return kWhole(service.metrics()); }},
      {"/v1/models", false, "GET HEAD", [](Service& service, const Request&) { return kWhole(service.models()); }},
      {"/v1/completions", false, "POST",
       [](Service& service, const Request& request) {
         return complete(read_completion_request(request.body, service.limits_), service.workshop());
       }},
      {"/v1/score", false, "POST",
       [](Service& service, const Request& request) {
         return score(read_score_request(request.body), service.workshop());
       }},
      {"/v1/next", false, "POST",
       [](Service& service, const Request& request) {
         return expect_next(read_next_request(request.body), service.workshop());
       }},
      {"/api/runs", true, "GET HEAD POST PATCH DELETE",
       [](Service& service, const Request& request) { return service.runs_.answer(request); }},
      {"/", true, "GET HEAD", [](Service& service, const Request& request) { return service.page(request); }},
  };
  const auto fits = [&](const Route& route) {
    if (path == route.path) return true;
    return route.prefix &&
           (route.path == "/" ? path.starts_with('/') : path.starts_with(route.path) && path[route.path.size()] == '/');
  };
  const auto* const found = std::ranges::find_if(kRoutes, fits);
  return found == std::end(kRoutes) ? nullptr : found;
}

Workshop Service::workshop() { return {models_, engine_, states_, limits_}; }

Handler Service::handler() {
  return {.refuse =
              [this](const Request& request) {
                auto response = refuse(request);
                if (response) add_security_headers(*response);
                return response;
              },
          .answer =
              [this](const Request& request) {
                Reply reply = answer(request);
                add_security_headers(reply.response);
                return reply;
              },
          .on_end = [this](std::string_view route, unsigned status,
                           std::chrono::duration<double> time) { counters_.count(route, status, time); }};
}

std::optional<Response> Service::refuse(const Request& request) const {
  if (auto refusal = guard_.refusal(request)) return refusal;
  const Route* const route = find_route(request.path());
  if (route == nullptr) return response_of(ApiError(404, "nothing is there", "", "not_found"));
  const auto methods = train::split(route->methods, ' ');
  if (std::ranges::find(methods, request.method) == methods.end()) {
    const std::string allowed = fmt::format("{}", fmt::join(methods, ", "));
    auto response = response_of(
        ApiError(405, fmt::format("expected {}, found {}", allowed, request.method), "", "method_not_allowed"));
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  // A form of another site can send any type but this one.
  if (!reads(request) && request.method != "DELETE" && !is_json(request.header("content-type"))) {
    return response_of(ApiError(415, "expected a body of the type application/json", "", "content_type"));
  }
  return std::nullopt;
}

Reply Service::answer(const Request& request) {
  const Route* const route = find_route(request.path());
  Reply reply = guarded([&] { return route->answer(*this, request); });
  reply.route = route->path;
  return reply;
}

Response Service::models() const {
  Json list = Json::array();
  for (const ServedModel& served : models_.all()) {
    const ModelOptions& options = served.model->network.options();
    const TextForm& form = served.model->vocabulary.form();
    list.push_back({{"id", served.id},
                    {"object", "model"},
                    {"created", served.created},
                    {"owned_by", "rune"},
                    {"cell", model::name_of(options.cell)},
                    {"layers", options.layers},
                    {"hidden_size", options.hidden_size},
                    {"parameters", served.model->network.parameters().count()},
                    {"alphabet", served.model->vocabulary.size()},
                    {"unit", model::name_of(form.unit)},
                    {"lowercase", form.lowercase || form.fold_case}});
  }
  return json_response({{"object", "list"}, {"data", std::move(list)}});
}

Response Service::metrics() const {
  const Engine::Statistics& engine = engine_.statistics();
  const auto value = [](const auto& number) { return static_cast<double>(number); };
  std::string text = counters_.text();
  text += metric_text("rune_characters_read_total", "counter", "Tokens of prompts read.", value(engine.read));
  text += metric_text("rune_characters_written_total", "counter", "Tokens written.", value(engine.written));
  text +=
      metric_text("rune_engine_steps_total", "counter", "Steps, each of all texts of a model.", value(engine.steps));
  text += metric_text("rune_texts", "gauge", "Texts that are being read or written.", value(engine.texts));
  text += metric_text("rune_requests_waiting", "gauge", "Jobs in the engine's queue.", value(engine.waiting));
  text += metric_text("rune_states", "gauge", "States kept for clients.", value(states_.count()));
  text += metric_text("rune_state_bytes", "gauge", "Memory of these states.", value(states_.bytes()));
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)};
}

Reply Service::page(const Request& request) const {
  const auto files = page_files();
  const auto found = std::ranges::find(files, request.path(), &PageFile::path);
  Response response;
  if (found != files.end()) {
    response = {.content_type = std::string(found->content_type), .body = std::string(found->content)};
  } else if (files.empty() && request.path() == "/") {
    response = {.status = 404, .content_type = "text/plain; charset=utf-8", .body = kPageLeftOut};
  } else {
    throw ApiError(404, "nothing is there", "", "not_found");
  }
  return {.response = std::move(response), .pending = nullptr};
}

void add_security_headers(Response& response) {
  const auto add = [&](const char* name, const char* value) { response.headers.emplace_back(name, value); };
  add("X-Content-Type-Options", "nosniff");
  add("Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Referrer-Policy", "no-referrer");
  add("Cache-Control", "no-store");
}

}  // namespace rune::server
