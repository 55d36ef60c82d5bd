#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace rune::test {

/// A connection to a server of this machine, byte by byte, to be as polite or impolite as a test wants.
class HttpClient {
 public:
  struct Answer {
    int status = 0;  // 0: the connection was closed
    std::string head;
    std::string body;
  };

  explicit HttpClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~HttpClient() { close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// More bytes; false: the server has closed, or says nothing for 20 seconds.
  bool receive() {
    pollfd poller{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&poller, 1, 20'000) <= 0) return false;
    char bytes[65536];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }
  [[nodiscard]] const std::string& received() const { return buffer_; }

  /// The next answer; chunks are put together.
  Answer answer() {
    Answer answer;
    if (!await("\r\n\r\n")) return answer;
    answer.head = take(buffer_.find("\r\n\r\n") + 4);
    answer.status = std::atoi(answer.head.c_str() + answer.head.find(' '));
    constexpr std::string_view kLength = "Content-Length: ";
    if (const std::size_t at = answer.head.find(kLength); at != std::string::npos) {
      answer.body = take_exactly(static_cast<std::size_t>(std::atol(answer.head.c_str() + at + kLength.size())));
      return answer;
    }
    for (;;) {
      if (!await("\r\n")) return {};
      std::size_t size = 0;
      std::from_chars(buffer_.data(), buffer_.data() + buffer_.size(), size, 16);
      take(buffer_.find("\r\n") + 2);
      answer.body += take_exactly(size);
      take_exactly(2);
      if (size == 0) return answer;
    }
  }

  static std::string get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
  }
  static std::string post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
  }

 private:
  bool await(std::string_view text) {
    while (buffer_.find(text) == std::string::npos) {
      if (!receive()) return false;
    }
    return true;
  }
  std::string take(std::size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }
  std::string take_exactly(std::size_t size) {
    while (buffer_.size() < size && receive()) {}
    return take(size);
  }

  int socket_;
  bool connected_;
  std::string buffer_;
};

}  // namespace rune::test
