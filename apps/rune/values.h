#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <rune/options.h>

#include "generate/evaluation.h"
#include "text/corpus_cache.h"
#include "text/vocabulary.h"
#include "train/option_text.h"
#include "train/period.h"
#include "train/schedule.h"

namespace rune::model {

template <>
inline constexpr std::array<std::string_view, 2> kNames<text::Unknown>{"error", "skip"};
template <>
inline constexpr std::array<std::string_view, 3> kNames<text::Cache>{"auto", "always", "never"};

}  // namespace rune::model

/// How the value of an option is read from a command line and shown in its help, for every type that an option has.
/// Reading throws InputError naming the option.
namespace rune::app {

template <std::integral Value>
void read_value(const std::string& text, std::string_view option, Value& target) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), target);
  if (error != std::errc() || end != text.data() + text.size()) {
    const char* kind = std::is_unsigned_v<Value> ? "a whole number that is not negative" : "a whole number";
    throw InputError(fmt::format("expected {} in {}, found '{}'", kind, option, text));
  }
}
template <std::floating_point Value>
void read_value(const std::string& text, std::string_view option, Value& target) {
  target = static_cast<Value>(train::parse_number(text, option));
}
template <train::Named Value>
void read_value(const std::string& text, std::string_view option, Value& target) {
  target = train::parse_name<Value>(text, option);
}
inline void read_value(const std::string& text, std::string_view, std::string& target) { target = text; }
inline void read_value(const std::string& text, std::string_view, std::vector<std::string>& target) {
  target.push_back(text);
}
inline void read_value(const std::string& text, std::string_view option, Period& target) {
  target = train::parse_period(text, option);
}
inline void read_value(const std::string& text, std::string_view, Protocol& target) {
  target = generate::parse_protocol(text);
}
inline void read_value(const std::string& text, std::string_view option, ScheduleOptions& target) {
  const Period warmup = target.warmup;
  target = train::parse_schedule(text, option);
  target.warmup = warmup;
}
template <class Value>
void read_value(const std::string& text, std::string_view option, std::optional<Value>& target) {
  read_value(text, option, target.emplace());
}

template <class Value>
std::string show_value(const Value& value) {
  return fmt::format("{}", value);
}
template <train::Named Value>
std::string show_value(const Value& value) {
  return std::string(train::name_of(value));
}
inline std::string show_value(const std::vector<std::string>&) { return ""; }
inline std::string show_value(const Period& value) { return train::to_string(value); }
inline std::string show_value(const Protocol& value) { return generate::to_string(value); }
inline std::string show_value(const ScheduleOptions& value) { return train::to_string(value); }
template <class Value>
std::string show_value(const std::optional<Value>& value) {
  return value ? show_value(*value) : "";
}

}  // namespace rune::app
