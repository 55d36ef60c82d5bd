#include "listen.h"

#include <sys/resource.h>

#include <filesystem>

#include <fmt/format.h>

#include "output.h"

namespace rune::app {
namespace {

server::HttpOptions loopback(const WatchFlags& flags) {
  server::HttpOptions options;
  options.port = flags.port;
  options.drain_time = std::chrono::seconds(1);  // the training is over, and nobody should wait for a browser
  return options;
}

server::ServiceOptions beside(const std::filesystem::path& run) {
  server::ServiceOptions options;
  options.runs_folder = (std::filesystem::absolute(run).lexically_normal() / "").parent_path().parent_path();
  options.runs = {run};
  options.engine.threads = 1;
  return options;
}

}  // namespace

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string address_of(const server::HttpOptions& options, std::uint16_t port) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}/", v6 ? "[" : "", options.host, v6 ? "]" : "", port);
}

void WatchFlags::add_to(CommandLine& line) {
  line.flag("--serve", serve,
            "Show the training in a browser meanwhile, on this machine alone: curves, samples, and buttons to stop, to "
            "save and to write.");
  line.option("--port", "N", port, "Where --serve listens; 0: any port that is free.");
}

TrainingServer::TrainingServer(const WatchFlags& flags, const std::string& run)
    : live_(run),
      service_(server::Models(std::vector<server::ServedModel>()), beside(run), &live_),
      http_(loopback(flags), service_.handler()) {
  message(fmt::format("Watch it at {}\n", address_of(loopback(flags), http_.port())));
  service_.start();
  thread_ = std::thread([this] { http_.run(); });
}

TrainingServer::~TrainingServer() {
  http_.stop();
  thread_.join();
}

}  // namespace rune::app
