#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Requests and answers, apart from sockets: what the parts of the server speak with each other.
namespace rune::server {

/// What a client asks for. Header names are in lower case; a field that is given twice is refused before it comes here.
struct Request {
  std::string method;
  std::string target;  // "/api/runs?after=3", as it was sent
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The value of a header; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// The target up to its query.
  [[nodiscard]] std::string_view path() const;
  /// A value of the query, as it stands there; nothing if it is not given.
  [[nodiscard]] std::optional<std::string_view> query(std::string_view name) const;
};

/// What it gets.
struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// An answer that is made meanwhile by another thread. The connection owns it; destroyed before its end, it gives up
/// the work that was left. After the destructor no wake-up comes any more.
class Pending {
 public:
  Pending() = default;
  virtual ~Pending() = default;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  /// Calls `wake` once, from any thread, when take() has something new; at once if it has already. `wake` must neither
  /// block nor call back.
  virtual void wait(std::function<void()> wake) = 0;
  /// Adds what is new to the response; true: that is all. An answer that is not streamed has nothing before its end.
  virtual bool take(Response& response) = 0;
};

/// An answer: whole, or with what is still to come. Streamed: status, type and headers are sent at once and bodies as
/// they come; otherwise all of it waits for the end.
struct Reply {
  Response response;
  std::unique_ptr<Pending> pending;
  bool streamed = false;
  std::string_view route;  // the pattern of the path, for counting
};

/// What a server serves. Called on its thread, so none of it may take long.
struct Handler {
  /// Decides by method, target and headers whether the body is read at all; nothing: it is.
  std::function<std::optional<Response>(const Request&)> refuse;
  std::function<Reply(const Request&)> answer;
  /// A request has been answered, or given up by its client (status 499).
  std::function<void(std::string_view route, unsigned status, std::chrono::duration<double>)> on_end;
};

}  // namespace rune::server
