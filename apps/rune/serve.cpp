#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "command.h"
#include "command_line.h"
#include "listen.h"
#include "output.h"
#include "precision_flag.h"
#include "server/http_server.h"
#include "server/models.h"
#include "server/page.h"
#include "server/service.h"
#include "stop_signal.h"
#include "tools/runs.h"

namespace rune::app {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::vector<std::string> models;
  std::string runs = server::ServiceOptions().runs_folder.string();
  std::string key_file;
  std::vector<std::string> allowed_hosts;
  server::HttpOptions http;
  Precision precision = Precision::f32;
  int threads = server::Engine::Options().threads;
  std::int64_t max_tokens = server::RequestLimits().tokens;
  std::int64_t max_texts = static_cast<std::int64_t>(server::Engine::Options().texts);
  std::int64_t max_waiting = static_cast<std::int64_t>(server::Engine::Options().queue);
  std::int64_t max_states = static_cast<std::int64_t>(server::States::Options().count);
  std::int64_t state_megabytes = static_cast<std::int64_t>(server::States::Options().bytes >> 20);
  std::int64_t state_seconds = server::States::Options().lifetime.count();
};

void add_options(CommandLine& line, Request& request) {
  line.optional_operands("MODEL", request.models,
                         "What writes: .safetensors files, or run directories (their best checkpoint). Clients know "
                         "each by its base name. None: runs alone are shown.");
  line.group("Where");
  line.option("--host", "ADDRESS", request.http.host,
              "Where to listen. Beyond 127.0.0.1, localhost and ::1 an API key is needed.");
  line.option("--port", "N", request.http.port, "0: any port that is free.");
  line.option("--allow-host", "NAME", request.allowed_hosts,
              "A name that clients may call this server by, besides addresses and localhost; once for each.");
  line.option("--api-key-file", "FILE", request.key_file,
              "A file that only you can read, with the key that clients must send (Authorization: Bearer KEY). Or set "
              "RUNE_API_KEY.");
  line.option("--runs", "FOLDER", request.runs, "Where the runs are that the page lists, compares and renames.");
  line.group("Limits");
  add_precision_option(line, request.precision);
  line.option("--threads", "N", request.threads, "That compute; 0: one for each processor. Texts do not depend on it.");
  line.option("--max-tokens", "N", request.max_tokens, "That a request may read, and that it may have written.");
  line.option("--max-texts", "N", request.max_texts, "Written at once; other requests wait.");
  line.option("--max-waiting", "N", request.max_waiting, "Requests that wait; more are answered with status 503.");
  line.option("--max-states", "N", request.max_states, "States kept for clients that go on from them.");
  line.option("--state-megabytes", "N", request.state_megabytes, "Memory of these states.");
  line.option("--state-seconds", "N", request.state_seconds, "How long an unused state is kept.");
  line.example("rune serve runs/book", "then open http://127.0.0.1:8080/ or ask with curl:");
  line.example("curl 127.0.0.1:8080/v1/completions -H 'Content-Type: application/json' -d '{\"prompt\": \"Once\"}'",
               "OpenAI's libraries work as well, with the base URL http://127.0.0.1:8080/v1");
  line.example("rune serve runs/book book-2.safetensors --host 0.0.0.0 --api-key-file ~/.rune-key",
               "for other machines, who must know the key");
}

void expect_positive(const char* option, std::int64_t value) {
  if (value < 1) throw UsageError(fmt::format("expected {} to be at least 1, found {}", option, value));
}

// False: help was asked for.
bool parse(int argc, const char* const* argv, Request& request) {
  CommandLine line("serve", "[MODEL...] [OPTION...]",
                   "Writes with models for any program that speaks OpenAI's completions interface, and shows runs in a "
                   "browser, live and finished ones. Ctrl-C (or SIGTERM) finishes the answers that are on their way; a "
                   "second one ends it at once. docs/server.md explains the interface.");
  add_options(line, request);
  if (!line.parse(argc, argv)) return false;
  expect_positive("--max-tokens", request.max_tokens);
  expect_positive("--max-texts", request.max_texts);
  expect_positive("--max-waiting", request.max_waiting);
  expect_positive("--max-states", request.max_states);
  expect_positive("--state-megabytes", request.state_megabytes);
  expect_positive("--state-seconds", request.state_seconds);
  if (request.threads < 0) {
    throw UsageError(fmt::format("expected --threads to be at least 0, found {}", request.threads));
  }
  return true;
}

std::optional<server::ApiKey> key_of(const Request& request) {
  constexpr const char* kVariable = "RUNE_API_KEY";
  std::optional<server::ApiKey> key;
  if (!request.key_file.empty()) {
    key = server::ApiKey::read(request.key_file);
  } else if (const char* const value = std::getenv(kVariable)) {
    key.emplace(value);
  }
  unsetenv(kVariable);  // no program that is started from here shall have it
  if (!key && !server::is_loopback(request.http.host)) {
    throw UsageError(
        fmt::format("expected an API key for a server beyond this machine ({}): --api-key-file FILE, or "
                    "{} in the environment",
                    request.http.host, kVariable));
  }
  return key;
}

server::ServiceOptions options_of(const Request& request) {
  server::ServiceOptions options;
  options.key = key_of(request);
  options.allowed_hosts = request.allowed_hosts;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) options.allowed_hosts.emplace_back(name.data());
  options.allowed_hosts.push_back(request.http.host);
  options.runs_folder = request.runs;
  for (const std::string& model : request.models) {
    if (tools::is_run(model)) options.runs.emplace_back(model);
  }
  options.engine = {.threads = request.threads,
                    .texts = static_cast<std::size_t>(request.max_texts),
                    .queue = static_cast<std::size_t>(request.max_waiting)};
  options.states = {.lifetime = std::chrono::seconds(request.state_seconds),
                    .count = static_cast<std::size_t>(request.max_states),
                    .bytes = static_cast<std::size_t>(request.state_megabytes) << 20};
  options.limits.tokens = request.max_tokens;
  options.limits.prompt_tokens = request.max_tokens;
  options.limits.texts = std::min(options.limits.texts, request.max_texts);
  return options;
}

}  // namespace

int serve(int argc, const char* const* argv) {
  Request request;
  if (!parse(argc, argv, request)) return success;
  server::ServiceOptions options = options_of(request);
  server::Models models(std::vector<fs::path>(request.models.begin(), request.models.end()), request.precision);
  std::vector<std::string> ids;
  for (const server::ServedModel& model : models.all()) ids.push_back(model.id);

  raise_file_limit();
  const StopSignal stop_signal;
  server::Service service(std::move(models), std::move(options));
  server::HttpServer http(request.http, service.handler());
  service.start();
  Output output(Output::Controls::pass);
  output.write(address_of(request.http, http.port()) + '\n');
  output.flush();
  message(fmt::format("Serving {}. Ctrl-C ends it.\n{}",
                      ids.empty() ? "runs" : fmt::format("the models {}", fmt::join(ids, ", ")),
                      server::page_files().empty() ? "This build has the page left out (RUNE_WEB).\n" : ""));
  http.run([] { return StopSignal::received(); });
  return success;
}

}  // namespace rune::app
