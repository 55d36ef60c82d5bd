#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "server/http.h"

namespace rune::server {

using Json = nlohmann::ordered_json;

/// What was written by a model or named by a user may hold any bytes: those that are no UTF-8 become U+FFFD.
std::string dump(const Json& json);
Response json_response(const Json& json, unsigned status = 200);

/// The body of a request: a JSON object whose fields are asked for one by one. All that is wrong with it is an ApiError
/// with status 400 that names the field: no JSON, no object, nested too deep, a field given twice, a field that nobody
/// asked for, a value of another type or out of its range. null is as good as no field.
class Fields {
 public:
  explicit Fields(std::string_view body);

  [[nodiscard]] bool has(std::string_view name) const;
  /// The value, or `standard` where it is not given.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t standard, std::int64_t low, std::int64_t high);
  [[nodiscard]] double number(std::string_view name, double standard, double low, double high);
  [[nodiscard]] bool boolean(std::string_view name, bool standard);
  [[nodiscard]] std::string text(std::string_view name, std::string standard);
  /// A string or an array of them, at most so many.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name, std::size_t most);
  /// The fields of an object in it; empty where it is not given.
  [[nodiscard]] Fields object(std::string_view name);
  /// A field of OpenAI's that changes nothing here: it may have this value only.
  void expect(std::string_view name, const Json& only, const char* why);
  /// A field that is accepted with any value.
  void ignore(std::string_view name);

  /// After all fields have been asked for: throws for those that are left, with a suggestion.
  void refuse_others() const;

 private:
  explicit Fields(Json object, std::string prefix) : object_(std::move(object)), prefix_(std::move(prefix)) {}
  /// Null if it is not given.
  const Json* find(std::string_view name);
  [[noreturn]] void fail(std::string_view name, const std::string& expected, const Json& found) const;

  Json object_;
  std::string prefix_;  // "stream_options."
  std::vector<std::string> known_;
};

}  // namespace rune::server
