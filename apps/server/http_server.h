#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/http.h"

namespace rune::server {

struct HttpOptions {
  std::string host = "127.0.0.1";  // an address or a name
  std::uint16_t port = 8080;       // 0: any that is free
  std::size_t header_bytes = 16 << 10;
  std::size_t target_bytes = 2 << 10;
  std::size_t body_bytes = 1 << 20;
  std::size_t connections = 4096;                 // more are closed at once
  std::chrono::milliseconds idle_time{75'000};    // between two requests of a connection
  std::chrono::milliseconds header_time{10'000};  // for all of a request's headers
  std::chrono::milliseconds body_time{30'000};    // for all of its body
  std::chrono::milliseconds write_time{30'000};   // for a piece of an answer, which a client does not take
  std::chrono::milliseconds drain_time{30'000};   // for the answers that are on their way when it stops
};

/// HTTP/1.1 on one thread: any number of connections, each a coroutine of Boost.Asio. What takes time is a Pending of
/// the handler's. All of Boost stands behind this header.
class HttpServer {
 public:
  /// Listens from here on. Throws FileError if the address cannot be had.
  HttpServer(const HttpOptions& options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// Serves until stop(), or until `stop_requested`, which is asked ten times a second and may be empty, says so. Then
  /// nobody new is served, answers on their way are finished, and it returns.
  void run(const std::function<bool()>& stop_requested = {});
  /// May be called by any thread, also before run().
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// A whole request from bytes, as a connection would read it, or the status that it would be refused with.
std::variant<Request, unsigned> parse_request(std::string_view bytes, const HttpOptions& options);

}  // namespace rune::server
