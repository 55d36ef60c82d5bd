#include "format/quote.h"

#include <nlohmann/json.hpp>

namespace rune::format {

std::string quote(std::string_view text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace rune::format
