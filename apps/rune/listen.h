#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "command_line.h"
#include "server/http_server.h"
#include "server/live_run.h"
#include "server/service.h"

namespace rune::app {

/// Lets the process have as many connections open as the system allows.
void raise_file_limit();
/// "http://127.0.0.1:8080/".
std::string address_of(const server::HttpOptions& options, std::uint16_t port);

/// What rune train and rune resume show of themselves in a browser: --serve and --port.
struct WatchFlags {
  bool serve = false;
  std::uint16_t port = server::HttpOptions().port;

  void add_to(CommandLine& line);
};

/// Serves the page of a training on a thread of its own, on the loopback interface, until it is destroyed.
class TrainingServer {
 public:
  /// Says where. Throws FileError if the port is taken.
  TrainingServer(const WatchFlags& flags, const std::string& run);
  ~TrainingServer();
  TrainingServer(const TrainingServer&) = delete;
  TrainingServer& operator=(const TrainingServer&) = delete;

  [[nodiscard]] server::LiveRun& live() { return live_; }

 private:
  server::LiveRun live_;
  server::Service service_;
  server::HttpServer http_;
  std::thread thread_;
};

}  // namespace rune::app
