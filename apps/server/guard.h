#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api_key.h"
#include "server/http.h"

namespace rune::server {

/// The names of this machine on its loopback interface.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Who may ask: decides by the headers of a request. Immutable, thread-safe.
///
/// Host: an address, a loopback name, or a name that was allowed; a page of another site that has its name resolve to
/// this machine is refused by that. Origin: a page may ask the server that it came from, and no other. Key: where there
/// is one, it is asked of everything but the page itself and /health.
class Guard {
 public:
  Guard(std::optional<ApiKey> key, std::vector<std::string> names) : key_(std::move(key)), names_(std::move(names)) {}

  [[nodiscard]] std::optional<Response> refusal(const Request& request) const;

 private:
  [[nodiscard]] bool knows(std::string_view host) const;

  std::optional<ApiKey> key_;
  std::vector<std::string> names_;  // in lower case
};

}  // namespace rune::server
