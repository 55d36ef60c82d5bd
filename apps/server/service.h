#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api_key.h"
#include "server/completion.h"
#include "server/counters.h"
#include "server/engine.h"
#include "server/guard.h"
#include "server/http.h"
#include "server/live_run.h"
#include "server/models.h"
#include "server/requests.h"
#include "server/runs_api.h"
#include "server/states.h"

namespace rune::server {

struct ServiceOptions {
  std::optional<ApiKey> key{};
  std::vector<std::string> allowed_hosts{};    // in lower case, besides addresses and loopback names
  std::filesystem::path runs_folder = "runs";  // where runs are looked for
  std::vector<std::filesystem::path> runs{};   // others
  Engine::Options engine{};
  States::Options states{};
  RequestLimits limits{};
};

/// All that the server answers, apart from sockets: who may ask, which path means what, and what every answer carries.
///
/// Owns engine, states and run list. The handler's functions are called on the server's thread; the service outlives
/// the server. `live`, which may be null, outlives both.
class Service {
 public:
  Service(Models models, ServiceOptions options, LiveRun* live = nullptr);
  /// Begins to work on what is asked; before, it only waits.
  void start() { engine_.start(); }

  [[nodiscard]] Handler handler();
  [[nodiscard]] Reply answer(const Request& request);
  [[nodiscard]] std::optional<Response> refuse(const Request& request) const;
  [[nodiscard]] Engine& engine() { return engine_; }

 private:
  struct Route;
  static const Route* find_route(std::string_view path);

  [[nodiscard]] Workshop workshop();
  [[nodiscard]] Response models() const;
  [[nodiscard]] Response metrics() const;
  [[nodiscard]] Reply page(const Request& request) const;

  Models models_;
  Guard guard_;
  RequestLimits limits_;
  States states_;
  Counters counters_;
  Engine engine_;
  RunsApi runs_;
};

/// What every answer carries: browsers shall neither guess types nor run what did not come from here.
void add_security_headers(Response& response);

}  // namespace rune::server
