#include "server/http_server.h"

#include <gtest/gtest.h>

#include <string>

namespace rune::server {
namespace {

const HttpOptions kOptions{.header_bytes = 1024, .target_bytes = 64, .body_bytes = 32};

/// 200, or the status that bytes are refused with.
unsigned status(const std::string& bytes) {
  const auto parsed = parse_request(bytes, kOptions);
  const unsigned* const refused = std::get_if<unsigned>(&parsed);
  return refused == nullptr ? 200 : *refused;
}

std::string with(const std::string& headers, const std::string& body = "") {
  return "POST /v1/next HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

TEST(ParseRequestTest, TakesARequestApart) {
  const auto parsed = parse_request(
      "POST /api/runs?after=3&x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
      "2\r\n\r\n{}",
      kOptions);
  const Request& request = std::get<Request>(parsed);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path(), "/api/runs");
  EXPECT_EQ(request.query("after"), "3");
  EXPECT_EQ(request.query("x"), "");
  EXPECT_EQ(request.query("aft"), std::nullopt);
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_EQ(request.body, "{}");
}

TEST(ParseRequestTest, KeepsToItsLimits) {
  EXPECT_EQ(status("GET /" + std::string(63, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 200U);
  EXPECT_EQ(status("GET /" + std::string(64, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414U);
  EXPECT_EQ(status(with("X: " + std::string(2000, 'a') + "\r\n")), 431U);
  EXPECT_EQ(status(with("Content-Length: 32\r\n", std::string(32, 'a'))), 200U);
  EXPECT_EQ(status(with("Content-Length: 33\r\n", std::string(33, 'a'))), 413U);
  EXPECT_EQ(status(with("Transfer-Encoding: chunked\r\n", "20\r\n" + std::string(32, 'a') + "\r\n0\r\n\r\n")), 200U);
  EXPECT_EQ(status(with("Transfer-Encoding: chunked\r\n", "21\r\n" + std::string(33, 'a') + "\r\n0\r\n\r\n")), 413U);
}

TEST(ParseRequestTest, RefusesWhatTwoReadersWouldReadInTwoWays) {
  for (const std::string& bytes :
       {std::string(), std::string("GET"), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
        std::string("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), with("Host: b\r\n"),
        with("Origin: http://a\r\nOrigin: http://b\r\n"), with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
        with("Content-Length: -1\r\n"), with("Content-Length: 5\r\n", "{}"), with("Content-Length : 2\r\n", "{}"),
        with("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), with("No colon\r\n"),
        with("Transfer-Encoding: chunked\r\n", "zz\r\n")}) {
    EXPECT_EQ(status(bytes), 400U) << bytes;
  }
}

}  // namespace
}  // namespace rune::server
