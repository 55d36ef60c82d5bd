#include "server/guard.h"

#include <gtest/gtest.h>
#include <rune/error.h>

#include <filesystem>
#include <fstream>

#include "server/tiny_model.h"
#include "support/temporary_folder.h"

namespace rune::server {
namespace {

unsigned status(const Guard& guard, const Request& request) {
  const auto refusal = guard.refusal(request);
  return refusal ? refusal->status : 200;
}

Request from(const std::string& host, std::vector<std::pair<std::string, std::string>> headers = {},
             const std::string& path = "/v1/models") {
  headers.emplace_back("host", host);
  return {.method = "GET", .target = path, .headers = std::move(headers), .body = ""};
}

TEST(GuardTest, KnowsAddressesLoopbackNamesAndWhatWasAllowed) {
  const Guard guard(std::nullopt, {"writer.example"});
  for (const char* host : {"localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080",
                           "192.168.1.5:80", "[fe80::1]", "writer.example", "Writer.Example:8080"}) {
    EXPECT_EQ(status(guard, from(host)), 200U) << host;
  }
  for (const char* host : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "[evil]",
                           "writer.example.", "::1", "1.2.3"}) {
    EXPECT_EQ(status(guard, from(host)), 403U) << host;
  }
}

TEST(GuardTest, PagesAskTheServerTheyCameFromAndNoOther) {
  const Guard guard(std::nullopt, {});
  const std::string host = "localhost:8080";
  EXPECT_EQ(status(guard, from(host, {{"origin", "http://localhost:8080"}})), 200U);
  for (const char* origin : {"http://evil.example", "http://localhost:8081", "http://localhost", "null",
                             "http://127.0.0.1:8080", "http://localhost:8080.evil.example"}) {
    EXPECT_EQ(status(guard, from(host, {{"origin", origin}})), 403U) << origin;
  }
  EXPECT_EQ(status(guard, from(host, {{"sec-fetch-site", "same-origin"}})), 200U);
  EXPECT_EQ(status(guard, from(host, {{"sec-fetch-site", "cross-site"}})), 403U);
  const std::pair<std::string, std::string> link{"sec-fetch-mode", "navigate"};
  EXPECT_EQ(status(guard, from(host, {{"sec-fetch-site", "cross-site"}, link}, "/")), 200U);
  EXPECT_EQ(status(guard, from(host, {{"sec-fetch-site", "cross-site"}, link})), 403U);
}

TEST(GuardTest, AsksForTheKeyWhereThereIsOne) {
  const std::string secret = "correct-horse-battery";
  const Guard guard(ApiKey(secret), {});
  const auto with = [&](const std::string& value) { return from("localhost", {{"authorization", value}}); };
  EXPECT_EQ(status(guard, with("Bearer " + secret)), 200U);
  EXPECT_EQ(status(guard, with("bearer " + secret)), 200U);
  for (const std::string& wrong : std::vector<std::string>{
           std::string(), secret, "Basic " + secret, "Bearer ", "Bearer " + secret + "x", "Bearer " + secret.substr(1),
           "Bearer correct-horse-batterY", "Bearer " + secret + secret}) {
    EXPECT_EQ(status(guard, with(wrong)), 401U) << wrong;
  }
  for (const char* path : {"/v1/completions", "/api/runs", "/metrics"}) {
    EXPECT_EQ(status(guard, from("localhost", {}, path)), 401U) << path;
  }
  for (const char* path : {"/health", "/", "/assets/a.js"}) {
    EXPECT_EQ(status(guard, from("localhost", {}, path)), 200U) << path;
  }
  const auto refusal = guard.refusal(with("Bearer wrong-wrong-wrong"));
  EXPECT_EQ(refusal->body.find(secret), std::string::npos);
}

TEST(ApiKeyTest, MustBeLongAndPrintable) {
  EXPECT_THROW(ApiKey(""), InputError);
  EXPECT_THROW(ApiKey("fifteen-letters"), InputError);
  EXPECT_THROW(ApiKey("sixteen letters!"), InputError);
  EXPECT_NO_THROW(ApiKey("sixteen-letters!"));
}

TEST(ApiKeyTest, ComesFromAFileThatNobodyElseMayRead) {
  namespace fs = std::filesystem;
  const test::TemporaryFolder folder;
  const fs::path file = folder / "key";
  std::ofstream(file) << "a-key-of-many-letters\r\nnotes\n";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(ApiKey::read(file).matches("a-key-of-many-letters"));
  fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THROW(ApiKey::read(file), InputError);
  EXPECT_THROW(ApiKey::read(folder / "absent"), FileError);
}

}  // namespace
}  // namespace rune::server
