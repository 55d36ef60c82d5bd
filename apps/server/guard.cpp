#include "server/guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "server/error.h"

namespace rune::server {
namespace {

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return result;
}

// "localhost:8080" and "[::1]:8080" without their ports.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view host) {
  in6_addr address{};
  if (host.starts_with('[') && host.ends_with(']')) {
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
  }
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

bool needs_key(const Request& request) {
  const std::string_view path = request.path();
  return path.starts_with("/v1/") || path.starts_with("/api/") || path == "/metrics";
}

}  // namespace

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || (host.starts_with("127.") && is_address(host));
}

bool Guard::knows(std::string_view host) const {
  const std::string name = lowered(without_port(host));
  return is_loopback(name) || is_address(name) || std::ranges::find(names_, name) != names_.end();
}

std::optional<Response> Guard::refusal(const Request& request) const {
  const std::string_view host = request.header("host");
  if (!knows(host)) {
    return response_of(ApiError(
        403, fmt::format("this server is not called '{}'; start it with --allow-host to let it be", host), "", "host"));
  }
  const std::string_view origin = request.header("origin");
  const bool own_page =
      origin.empty() || lowered(origin) == "http://" + lowered(host) || lowered(origin) == "https://" + lowered(host);
  // Browsers say where a request comes from; a link to the page may stand anywhere.
  const std::string_view site = request.header("sec-fetch-site");
  const bool link = request.header("sec-fetch-mode") == "navigate" && !needs_key(request);
  if (!own_page || (!link && (site == "cross-site" || site == "same-site"))) {
    return response_of(ApiError(403, "pages of other sites may not use this server", "", "origin"));
  }
  if (!key_ || !needs_key(request)) return std::nullopt;
  constexpr std::string_view kScheme = "bearer ";
  std::string_view given = request.header("authorization");
  const bool bearer = lowered(given.substr(0, kScheme.size())) == kScheme;
  if (bearer) given.remove_prefix(kScheme.size());
  if (bearer && key_->matches(given)) return std::nullopt;
  return response_of(ApiError(401, "expected the API key of this server in the header Authorization: Bearer KEY", "",
                              "invalid_api_key"));
}

}  // namespace rune::server
