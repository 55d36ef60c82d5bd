// The only file that includes Boost, which takes long to compile.
#if defined(__SANITIZE_THREAD__)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // it knows no fences; the mutex of Asio's queue orders the same
#endif

#include "server/http_server.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <iterator>
#include <list>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "rune/error.h"
#include "server/error.h"
#include "server/service.h"

namespace rune::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr unsigned kHttp11 = 11;
constexpr unsigned kClientGone = 499;
// What a stream has to say is collected for so long: a model writes faster than anybody reads.
constexpr std::chrono::milliseconds kBetweenEvents{20};

using Parser = http::request_parser<http::string_body>;

void set_limits(Parser& parser, const HttpOptions& options) {
  parser.header_limit(static_cast<std::uint32_t>(options.header_bytes));
  parser.body_limit(options.body_bytes);
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return result;
}

/// The head of a request; a status where it cannot be served.
std::variant<Request, unsigned> head_of(const http::request<http::string_body>& message, const HttpOptions& options) {
  Request request{.method = std::string(message.method_string()), .target = std::string(message.target())};
  if (request.target.size() > options.target_bytes) return 414U;
  if (!request.target.starts_with('/')) return 400U;
  for (const auto& field : message) {
    std::string name = lowered(field.name_string());
    // A field that two readers would understand in two ways.
    const bool once = name == "host" || name == "origin" || name == "authorization" || name == "content-type" ||
                      name == "content-length";
    if (once && !request.header(name).empty()) return 400U;
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  if (request.header("host").empty()) return 400U;
  return request;
}

unsigned status_of(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == beast::error::timeout) return 408;
  return 400;
}

Response refusal(unsigned status) {
  const auto message = [&]() -> const char* {
    switch (status) {
      case 408:
        return "the request took too long to come";
      case 413:
        return "the body is too large";
      case 414:
        return "the address is too long";
      case 431:
        return "the headers are too large";
      default:
        return "this is no request that HTTP/1.1 knows";
    }
  };
  Response response = response_of(ApiError(status, message()));
  add_security_headers(response);
  return response;
}

template <class Body>
http::response<Body> message_of(const Response& response, unsigned version, bool keep_alive) {
  http::response<Body> message;
  message.result(response.status);
  message.version(version);
  message.keep_alive(keep_alive);
  message.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.set(name, value);
  return message;
}

/// Woken by the thread that makes an answer; waited for by a connection.
class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(const asio::any_io_executor& executor) : timer_(executor, Clock::time_point::max()) {}

  /// What Pending::wait is given.
  std::function<void()> waker() {
    woken_ = false;
    timer_.expires_at(Clock::time_point::max());
    return [signal = shared_from_this()] {
      asio::post(signal->timer_.get_executor(), [signal] {
        signal->woken_ = true;
        signal->timer_.cancel();
      });
    };
  }
  [[nodiscard]] bool woken() const { return woken_; }
  auto wait() { return timer_.async_wait(kAwait); }

 private:
  asio::steady_timer timer_;
  bool woken_ = false;
};

}  // namespace

struct HttpServer::Parts {
  Parts(const HttpOptions& chosen, Handler what) : options(chosen), handler(std::move(what)) {}

  struct Connection {
    explicit Connection(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    bool busy = false;  // with a request
  };
  using Connections = std::list<Connection>;

  void listen();
  asio::awaitable<void> accept();
  asio::awaitable<void> watch(const std::function<bool()>& stop_requested);
  asio::awaitable<void> serve(Connections::iterator place);
  asio::awaitable<void> linger(beast::tcp_stream& stream);
  asio::awaitable<bool> serve_request(Connection& connection, beast::flat_buffer& buffer);
  asio::awaitable<bool> read_body(beast::tcp_stream& stream, beast::flat_buffer& buffer, Parser& parser);
  asio::awaitable<unsigned> send_reply(beast::tcp_stream& stream, Reply& reply, unsigned version, bool keep_alive,
                                       bool head_only);
  asio::awaitable<bool> send(beast::tcp_stream& stream, const Response& response, unsigned version, bool keep_alive,
                             bool head_only);
  asio::awaitable<bool> send_events(beast::tcp_stream& stream, Reply& reply, unsigned version, bool keep_alive);
  asio::awaitable<bool> await_news(beast::tcp_stream& stream, Pending& pending, const std::shared_ptr<Signal>& signal);
  void begin_drain();

  HttpOptions options;
  Handler handler;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  Connections connections;
  bool draining = false;
  Clock::time_point drain_end;
};

void HttpServer::Parts::listen() {
  const auto fail = [&](const error_code& error) {
    throw FileError(fmt::format("could not listen at {}:{}: {}", options.host, options.port, error.message()));
  };
  error_code error;
  const auto found = tcp::resolver(context).resolve(options.host, std::to_string(options.port),
                                                    tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) fail(error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) fail(error);
}

asio::awaitable<void> HttpServer::Parts::accept() {
  constexpr std::chrono::milliseconds kPause{100};
  while (!draining) {
    auto [error, socket] = co_await acceptor.async_accept(kAwait);
    if (draining) co_return;
    if (error) {  // too many open files, say: some will be closed
      asio::steady_timer pause(context, kPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    if (connections.size() >= options.connections) continue;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    connections.emplace_back(std::move(socket));
    asio::co_spawn(context, serve(std::prev(connections.end())), asio::detached);
  }
}

// Looks whether to stop; later, whether all is done, or has taken too long.
asio::awaitable<void> HttpServer::Parts::watch(const std::function<bool()>& stop_requested) {
  constexpr std::chrono::milliseconds kPeriod{100};
  asio::steady_timer timer(context);
  while (!draining || !connections.empty()) {
    timer.expires_after(kPeriod);
    co_await timer.async_wait(kAwait);
    if (!draining && stop_requested && stop_requested()) begin_drain();
    if (!draining || Clock::now() < drain_end) continue;
    for (Connection& connection : connections) connection.stream.close();
  }
}

void HttpServer::Parts::begin_drain() {
  if (draining) return;
  draining = true;
  drain_end = Clock::now() + options.drain_time;
  error_code ignored;
  acceptor.close(ignored);
  for (Connection& connection : connections) {
    if (!connection.busy) connection.stream.close();
  }
}

asio::awaitable<void> HttpServer::Parts::serve(Connections::iterator place) {
  Connection& connection = *place;
  try {
    beast::flat_buffer buffer(options.header_bytes + options.body_bytes);
    // The first byte may take its time; what begins must come to an end.
    constexpr std::size_t kRead = 4096;
    while (!draining) {
      if (buffer.size() == 0) {
        connection.stream.expires_after(options.idle_time);
        auto [error, size] = co_await connection.stream.async_read_some(buffer.prepare(kRead), kAwait);
        if (error) break;
        buffer.commit(size);
      }
      connection.busy = true;
      const bool goes_on = co_await serve_request(connection, buffer);
      connection.busy = false;
      if (!goes_on) break;
    }
    co_await linger(connection.stream);
  } catch (const std::exception&) {
    // Out of memory: this connection ends, and the others go on.
  }
  connections.erase(place);
}

// What a client still sends is read for a moment: one that is closed before is reset, and never sees the answer.
asio::awaitable<void> HttpServer::Parts::linger(beast::tcp_stream& stream) {
  constexpr std::chrono::milliseconds kMoment{500};
  error_code failed;
  stream.socket().shutdown(tcp::socket::shutdown_send, failed);
  stream.expires_after(kMoment);
  std::array<char, 4096> rest{};
  while (!failed && !draining) {
    auto [error, size] = co_await stream.async_read_some(asio::buffer(rest), kAwait);
    failed = error;
  }
}

// True if the connection may bring another request.
asio::awaitable<bool> HttpServer::Parts::serve_request(Connection& connection, beast::flat_buffer& buffer) {
  beast::tcp_stream& stream = connection.stream;
  Parser parser;
  set_limits(parser, options);
  stream.expires_after(options.header_time);
  if (auto [error, size] = co_await http::async_read_header(stream, buffer, parser, kAwait); error) {
    if (error != http::error::end_of_stream && error != asio::error::connection_reset) {
      co_await send(stream, refusal(status_of(error)), kHttp11, false, false);
    }
    co_return false;
  }
  const auto start = Clock::now();
  const unsigned version = parser.get().version();
  const bool head_only = parser.get().method() == http::verb::head;
  auto head = head_of(parser.get(), options);
  if (const unsigned* const status = std::get_if<unsigned>(&head)) {
    co_await send(stream, refusal(*status), version, false, head_only);
    co_return false;
  }
  Request request = std::get<Request>(std::move(head));
  if (const auto refused = handler.refuse(request)) {
    // Its body has not been read: the connection can serve no other.
    const bool keep = parser.is_done() && parser.keep_alive();
    handler.on_end("refused", refused->status, Clock::now() - start);
    co_return co_await send(stream, *refused, version, keep, head_only) && keep;
  }
  if (!co_await read_body(stream, buffer, parser)) co_return false;
  request.body = std::move(parser.get().body());

  Reply reply = handler.answer(request);
  // A stream without chunks ends with its connection.
  const bool keep_alive = parser.keep_alive() && !draining && (version >= kHttp11 || !reply.streamed);
  const unsigned status = co_await send_reply(stream, reply, version, keep_alive, head_only);
  handler.on_end(reply.route, status, Clock::now() - start);
  const bool taken = status != kClientGone;
  co_return (taken && keep_alive);
}

asio::awaitable<bool> HttpServer::Parts::read_body(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                                                   Parser& parser) {
  stream.expires_after(options.body_time);
  if (!parser.is_done() && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    auto [error, size] = co_await asio::async_write(stream, asio::buffer(kContinue), kAwait);
    if (error) co_return false;
  }
  auto [error, size] = co_await http::async_read(stream, buffer, parser, kAwait);
  if (!error) co_return true;
  co_await send(stream, refusal(status_of(error)), kHttp11, false, false);
  co_return false;
}

// The status that was sent; kClientGone where nobody took it.
asio::awaitable<unsigned> HttpServer::Parts::send_reply(beast::tcp_stream& stream, Reply& reply, unsigned version,
                                                        bool keep_alive, bool head_only) {
  if (reply.pending != nullptr && reply.streamed) {
    const bool sent = co_await send_events(stream, reply, version, keep_alive);
    reply.pending = nullptr;
    co_return sent ? reply.response.status : kClientGone;
  }
  if (reply.pending != nullptr) {
    const auto signal = std::make_shared<Signal>(stream.get_executor());
    Response response;
    while (!reply.pending->take(response)) {
      if (!co_await await_news(stream, *reply.pending, signal)) {
        reply.pending = nullptr;
        co_return kClientGone;
      }
    }
    reply.pending = nullptr;
    std::ranges::move(reply.response.headers, std::back_inserter(response.headers));
    reply.response = std::move(response);
  }
  const bool sent = co_await send(stream, reply.response, version, keep_alive, head_only);
  co_return sent ? reply.response.status : kClientGone;
}

asio::awaitable<bool> HttpServer::Parts::send(beast::tcp_stream& stream, const Response& response, unsigned version,
                                              bool keep_alive, bool head_only) {
  auto message = message_of<http::string_body>(response, version, keep_alive);
  message.content_length(response.body.size());
  if (!head_only) message.body() = response.body;
  http::response_serializer<http::string_body> serializer(message);
  stream.expires_after(options.write_time);
  if (head_only) {
    auto [error, size] = co_await http::async_write_header(stream, serializer, kAwait);
    co_return !error;
  }
  auto [error, size] = co_await http::async_write(stream, serializer, kAwait);
  co_return !error;
}

// 1. the head; 2. whatever there is, at most every kBetweenEvents; 3. the last chunk
asio::awaitable<bool> HttpServer::Parts::send_events(beast::tcp_stream& stream, Reply& reply, unsigned version,
                                                     bool keep_alive) {
  const bool chunked = version >= kHttp11;
  auto message = message_of<http::empty_body>(reply.response, version, keep_alive);
  if (chunked) message.chunked(true);
  http::response_serializer<http::empty_body> serializer(message);
  stream.expires_after(options.write_time);
  if (auto [error, size] = co_await http::async_write_header(stream, serializer, kAwait); error) co_return false;

  const auto signal = std::make_shared<Signal>(stream.get_executor());
  asio::steady_timer pause(stream.get_executor());
  for (bool complete = false; !complete;) {
    Response news;
    complete = reply.pending->take(news);
    if (news.body.empty() && !complete) {
      if (!co_await await_news(stream, *reply.pending, signal)) co_return false;
      continue;
    }
    stream.expires_after(options.write_time);
    error_code failed;
    if (!news.body.empty() && chunked) {
      auto [error, size] =
          co_await asio::async_write(stream, http::make_chunk(asio::buffer(std::as_const(news.body))), kAwait);
      failed = error;
    } else if (!news.body.empty()) {
      auto [error, size] = co_await asio::async_write(stream, asio::buffer(std::as_const(news.body)), kAwait);
      failed = error;
    }
    if (failed) co_return false;
    if (complete) break;
    pause.expires_after(kBetweenEvents);
    co_await pause.async_wait(kAwait);
  }
  if (chunked) {
    auto [error, size] = co_await asio::async_write(stream, http::make_chunk_last(), kAwait);
    if (error) co_return false;
  }
  co_return true;
}

// Until there is something to take; false: the client has gone.
asio::awaitable<bool> HttpServer::Parts::await_news(beast::tcp_stream& stream, Pending& pending,
                                                    const std::shared_ptr<Signal>& signal) {
  using asio::experimental::awaitable_operators::operator||;
  stream.expires_never();
  pending.wait(signal->waker());
  bool watch_client = true;
  while (!signal->woken()) {
    if (!watch_client) {
      co_await signal->wait();
      continue;
    }
    const auto first = co_await (signal->wait() || stream.socket().async_wait(tcp::socket::wait_read, kAwait));
    if (first.index() == 0) continue;
    if (std::get<0>(std::get<1>(first))) co_return false;
    std::array<char, 1> byte{};
    error_code error;
    stream.socket().non_blocking(true, error);
    const std::size_t size = stream.socket().receive(asio::buffer(byte), tcp::socket::message_peek, error);
    if (error == asio::error::would_block) continue;
    if (error || size == 0) co_return false;
    watch_client = false;  // it has sent its next request already
  }
  co_return true;
}

HttpServer::HttpServer(const HttpOptions& options, Handler handler)
    : parts_(std::make_unique<Parts>(options, std::move(handler))) {
  parts_->listen();
}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const { return parts_->acceptor.local_endpoint().port(); }

void HttpServer::run(const std::function<bool()>& stop_requested) {
  asio::co_spawn(parts_->context, parts_->accept(), asio::detached);
  asio::co_spawn(parts_->context, parts_->watch(stop_requested), asio::detached);
  parts_->context.run();
}

void HttpServer::stop() {
  asio::post(parts_->context, [parts = parts_.get()] { parts->begin_drain(); });
}

std::variant<Request, unsigned> parse_request(std::string_view bytes, const HttpOptions& options) {
  if (bytes.empty()) return 400U;  // whose end Beast does not expect
  Parser parser;
  set_limits(parser, options);
  parser.eager(true);
  error_code error;
  std::size_t used = 0;
  while (!parser.is_done() && used < bytes.size()) {
    const std::size_t now = parser.put(asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += now;
    if (error == http::error::need_more || (!error && now == 0)) break;
    if (error) return status_of(error);
  }
  if (!parser.is_done()) parser.put_eof(error);
  if (error && error != http::error::need_more) return status_of(error);
  if (!parser.is_done()) return 400U;
  auto head = head_of(parser.get(), options);
  if (auto* const request = std::get_if<Request>(&head)) request->body = std::move(parser.get().body());
  return head;
}

}  // namespace rune::server
