#include "server/json.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "server/error.h"
#include "train/option_text.h"

namespace rune::server {
namespace {

constexpr int kDeepest = 8;

// What a message shows of a value.
std::string shown(const Json& value) {
  constexpr std::size_t kLongest = 40;
  std::string text = value.is_structured() ? std::string("an ") + value.type_name() : dump(value);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

Json parse(std::string_view body) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kDeepest) throw ApiError(400, fmt::format("expected JSON nested at most {} deep", kDeepest));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      throw ApiError(400, fmt::format("expected every field once, found {} twice", shown(value)));
    }
    return true;
  };
  try {
    return Json::parse(body, check);
  } catch (const Json::exception& error) {
    // Its message begins with a number in brackets that only its authors understand.
    const std::string_view message = error.what();
    const std::size_t begin = message.find("] ");
    throw ApiError(400, fmt::format("expected the body to be JSON: {}",
                                    begin == std::string_view::npos ? message : message.substr(begin + 2)));
  }
}

}  // namespace

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Response json_response(const Json& json, unsigned status) { return {.status = status, .body = dump(json)}; }

Fields::Fields(std::string_view body) : object_(parse(body)) {
  if (!object_.is_object()) {
    throw ApiError(400, fmt::format("expected the body to be a JSON object, found {}", shown(object_)));
  }
}

const Json* Fields::find(std::string_view name) {
  known_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Fields::fail(std::string_view name, const std::string& expected, const Json& found) const {
  throw ApiError(400, fmt::format("expected {}{} to be {}, found {}", prefix_, name, expected, shown(found)),
                 prefix_ + std::string(name), "invalid_value");
}

bool Fields::has(std::string_view name) const {
  const auto found = object_.find(name);
  return found != object_.end() && !found->is_null();
}

std::int64_t Fields::integer(std::string_view name, std::int64_t standard, std::int64_t low, std::int64_t high) {
  const Json* const value = find(name);
  if (value == nullptr) return standard;
  const bool in_range =
      value->is_number_unsigned()
          ? std::in_range<std::int64_t>(value->get<std::uint64_t>()) && value->get<std::int64_t>() >= low &&
                value->get<std::int64_t>() <= high
          : value->is_number_integer() && value->get<std::int64_t>() >= low && value->get<std::int64_t>() <= high;
  if (!in_range) fail(name, fmt::format("a whole number from {} to {}", low, high), *value);
  return value->get<std::int64_t>();
}

double Fields::number(std::string_view name, double standard, double low, double high) {
  const Json* const value = find(name);
  if (value == nullptr) return standard;
  const auto in_range = [&](double number) { return std::isfinite(number) && number >= low && number <= high; };
  if (!value->is_number() || !in_range(value->get<double>())) {
    fail(name, fmt::format("a number from {} to {}", low, high), *value);
  }
  return value->get<double>();
}

bool Fields::boolean(std::string_view name, bool standard) {
  const Json* const value = find(name);
  if (value == nullptr) return standard;
  if (!value->is_boolean()) fail(name, "true or false", *value);
  return value->get<bool>();
}

std::string Fields::text(std::string_view name, std::string standard) {
  const Json* const value = find(name);
  if (value == nullptr) return standard;
  if (!value->is_string()) fail(name, "a text", *value);
  return value->get<std::string>();
}

std::vector<std::string> Fields::texts(std::string_view name, std::size_t most) {
  const Json* const value = find(name);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  const std::string expected = fmt::format("a text or an array of 1 to {} texts", most);
  if (!value->is_array() || value->empty() || value->size() > most) fail(name, expected, *value);
  std::vector<std::string> texts;
  for (const Json& one : *value) {
    if (!one.is_string()) fail(name, expected, one);
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

Fields Fields::object(std::string_view name) {
  const Json* const value = find(name);
  if (value != nullptr && !value->is_object()) fail(name, "an object", *value);
  return Fields(value == nullptr ? Json::object() : *value, prefix_ + std::string(name) + '.');
}

void Fields::expect(std::string_view name, const Json& only, const char* why) {
  const Json* const value = find(name);
  if (value != nullptr && *value != only) fail(name, fmt::format("{} ({})", dump(only), why), *value);
}

void Fields::ignore(std::string_view name) { static_cast<void>(find(name)); }

void Fields::refuse_others() const {
  for (const auto& [name, value] : object_.items()) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    const std::vector<std::string_view> names(known_.begin(), known_.end());
    throw ApiError(400, fmt::format("unknown field '{}{}'{}", prefix_, name, train::suggestion(name, names)),
                   prefix_ + name, "unknown_field");
  }
}

}  // namespace rune::server
