#include "server/error.h"

#include <nlohmann/json.hpp>

#include "server/json.h"

namespace rune::server {
namespace {

const char* type_of(unsigned status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 503) return "overloaded_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

std::string json_of(const ApiError& error) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json json;
  json["error"] = {{"message", error.what()},
                   {"type", type_of(error.status())},
                   {"param", or_null(error.param())},
                   {"code", or_null(error.code())}};
  return dump(json);
}

Response response_of(const ApiError& error) {
  Response response{.status = error.status(), .body = json_of(error)};
  if (error.status() == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.status() == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace rune::server
