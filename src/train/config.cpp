#include "train/config.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>
#include <toml++/toml.h>

#include "generate/evaluation.h"
#include "model/parameters.h"
#include "text/utf8.h"
#include "train/option_table.h"
#include "train/option_text.h"
#include "train/period.h"
#include "train/schedule.h"
#include "train/train_options.h"

namespace rune::train {
namespace {

namespace fs = std::filesystem;

// TOML allows no control character in a string, not even DEL.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char32_t c : text::decode_utf8(text, "'" + text + "'")) {
    if (c == U'"' || c == U'\\') out += '\\';
    if (c < U' ' || c == U'\x7f') {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      text::append_utf8(out, c);
    }
  }
  return out + '"';
}

// How each type of value stands in the file.
template <class Value>
  requires std::is_arithmetic_v<Value>
std::string to_toml(const Value& value) {
  // -0 would be read as an integer, which has no sign, and be written in another way the next time.
  if constexpr (std::is_floating_point_v<Value>) return fmt::format("{}", value + Value{0});
  return fmt::format("{}", value);
}
template <Named Enum>
std::string to_toml(const Enum& value) {
  return fmt::format("\"{}\"", name_of(value));
}
std::string to_toml(const std::string& value) { return quoted(value); }
std::string to_toml(const Period& value) { return quoted(to_string(value)); }
std::string to_toml(const ScheduleOptions& value) { return quoted(to_string(value)); }
std::string to_toml(const Protocol& value) { return quoted(generate::to_string(value)); }

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class Value>
  void operator()(std::string_view name, const Value& value, const Limits&, std::string_view comment) {
    const std::string line = fmt::format("{} = {}", name, to_toml(value));
    out_ += comment.empty() ? line + '\n' : fmt::format("{:<33} # {}\n", line, comment);
  }
  template <class Value>
  void operator()(std::string_view name, const std::optional<Value>& value, const Limits& limits,
                  std::string_view comment) {
    if (value) (*this)(name, *value, limits, comment);
  }

 private:
  std::string& out_;
};

// Reads the values of one table of the file. Everything it throws names file, line and column.
class Reader {
 public:
  Reader(const toml::table& table, const std::string& file) : table_(table), file_(file) {}

  template <class Value>
  void operator()(std::string_view name, Value& value, const Limits& limits, std::string_view) {
    known_.push_back(name);
    const toml::node* const node = table_.get(name);
    if (node == nullptr) return;
    try {
      read(name, *node, value);
      check_limits(name, value, limits);
    } catch (const InputError& error) {
      fail(node->source(), error.what());
    }
  }

  // A table or an array inside this one; null if it is not there.
  template <class Node>
  const Node* get(std::string_view name) {
    known_.push_back(name);
    const toml::node* const node = table_.get(name);
    if (node == nullptr) return nullptr;
    const Node* const typed = node->as<Node>();
    if (typed == nullptr)
      fail(node->source(), expected(name, std::is_same_v<Node, toml::table> ? "a table" : "an array", *node));
    return typed;
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, node] : table_) {
      bool found = false;
      for (const std::string_view name : known_) found = found || name == key.str();
      if (!found) fail(key.source(), fmt::format("unknown key '{}'{}", key.str(), suggestion(key.str(), known_)));
    }
  }

  [[noreturn]] void fail(const toml::source_region& where, const std::string& message) const {
    throw InputError(fmt::format("{}:{}:{}: {}", file_, where.begin.line, where.begin.column, message));
  }

  static std::string expected(std::string_view name, std::string_view type, const toml::node& found) {
    std::ostringstream kind;
    kind << found.type();
    return fmt::format("expected {} to be {}, found {}", name, type, kind.str());
  }

 private:
  static std::string text(std::string_view name, const toml::node& node) {
    if (!node.is_string()) throw InputError(expected(name, "a text in quotes", node));
    return node.as_string()->get();
  }

  template <class Number>
    requires std::is_arithmetic_v<Number>
  static void read(std::string_view name, const toml::node& node, Number& value) {
    if constexpr (std::is_same_v<Number, bool>) {
      if (!node.is_boolean()) throw InputError(expected(name, "true or false", node));
      value = node.as_boolean()->get();
    } else if constexpr (std::is_integral_v<Number>) {
      if (!node.is_integer()) throw InputError(expected(name, "a whole number", node));
      const std::int64_t number = node.as_integer()->get();
      if (!std::in_range<Number>(number))
        throw InputError(fmt::format("expected {} to be smaller, found {}", name, number));
      value = static_cast<Number>(number);
    } else {
      if (!node.is_number()) throw InputError(expected(name, "a number", node));
      value = static_cast<Number>(node.value_or(0.0));  // a number, so never the 0
    }
  }
  template <Named Enum>
  static void read(std::string_view name, const toml::node& node, Enum& value) {
    value = parse_name<Enum>(text(name, node), name);
  }
  static void read(std::string_view name, const toml::node& node, std::string& value) { value = text(name, node); }
  static void read(std::string_view name, const toml::node& node, Period& value) {
    value = parse_period(text(name, node), name);
  }
  static void read(std::string_view name, const toml::node& node, ScheduleOptions& value) {
    const Period warmup = value.warmup;
    value = parse_schedule(text(name, node), name);
    value.warmup = warmup;
  }
  static void read(std::string_view name, const toml::node& node, Protocol& value) {
    value = generate::parse_protocol(text(name, node));
  }
  template <class Value>
  static void read(std::string_view name, const toml::node& node, std::optional<Value>& value) {
    read(name, node, value.emplace());
  }

  const toml::table& table_;
  const std::string& file_;
  std::vector<std::string_view> known_;
};

toml::table parse(const std::string& toml, const std::string& name) {
  // The parser calls itself for every part of a dotted name; what it survives is about three times as deep.
  constexpr std::ptrdiff_t kMostDots = 10'000;
  if (const auto dots = std::ranges::count(toml, '.'); dots > kMostDots) {
    throw InputError(fmt::format("'{}': expected a recipe or a configuration, with at most {} dots, found {}", name,
                                 kMostDots, dots));
  }
  try {
    return toml::parse(toml, name);
  } catch (const toml::parse_error& error) {
    const auto where = error.source().begin;
    throw InputError(fmt::format("{}:{}:{}: {}", name, where.line, where.column, error.description()));
  }
}

}  // namespace

std::string to_toml(const RunConfig& config) {
  ModelOptions model = config.model;
  model.output_dropout = model.output_dropout.value_or(model.dropout);
  TrainOptions train = config.train;
  train.optimizer.weight_decay = weight_decay(train.optimizer);

  std::string out = "# All that is needed to start this training again. `rune resume` reads it.\n\n";
  const auto write_paths = [&](const char* key, const std::vector<fs::path>& paths) {
    out += fmt::format("{} = [\n", key);
    for (const fs::path& path : paths) out += "  " + quoted(path.string()) + ",\n";
    out += "]\n";
  };
  write_paths("texts", config.texts);
  if (!config.validation_texts.empty()) write_paths("validation_texts", config.validation_texts);
  if (!config.from.empty()) out += fmt::format("from = {}\n", quoted(config.from.string()));
  out += "\n[text]\n";
  visit_text_options(config.text, Writer(out));
  out += "\n[model]\n";
  visit_model_options(model, Writer(out));
  out += "\n[train]\n";
  visit_train_options(train, Writer(out));
  out += "\n[sample]\n";
  visit_sample_options(train, Writer(out));
  out += "\n[optimizer]\n";
  visit_optimizer_options(train, Writer(out));
  return out;
}

namespace {

// The tables that configurations and recipes have in common.
void read_options(Reader& top, RunConfig& config, const std::string& name) {
  const auto read_table = [&](std::string_view key, const auto& read) {
    const auto* table = top.get<toml::table>(key);
    if (table == nullptr) return;
    Reader reader(*table, name);
    read(reader);
    reader.refuse_unknown_keys();
  };
  read_table("text", [&](Reader& reader) { visit_text_options(config.text, reader); });
  read_table("model", [&](Reader& reader) { visit_model_options(config.model, reader); });
  read_table("train", [&](Reader& reader) { visit_train_options(config.train, reader); });
  read_table("sample", [&](Reader& reader) { visit_sample_options(config.train, reader); });
  read_table("optimizer", [&](Reader& reader) { visit_optimizer_options(config.train, reader); });
}

// What no single line is to blame for.
void validate_config(const RunConfig& config, const std::string& name) {
  try {
    model::validate(config.model);
    validate(config.train);
    validate(config.text, config.train);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", name, error.what()));
  }
}

std::vector<std::string> read_texts(Reader& reader, std::string_view key) {
  std::vector<std::string> texts;
  if (const auto* array = reader.get<toml::array>(key)) {
    for (const toml::node& text : *array) {
      if (!text.is_string()) {
        reader.fail(text.source(), Reader::expected(fmt::format("every one of {}", key), "a text in quotes", text));
      }
      texts.push_back(text.as_string()->get());
    }
  }
  return texts;
}

// [[epoch, loss], ...]
std::vector<Published::Point> read_points(Reader& reader, std::string_view key) {
  std::vector<Published::Point> points;
  const auto* array = reader.get<toml::array>(key);
  if (array == nullptr) return points;
  for (const toml::node& node : *array) {
    const toml::array* const pair = node.as_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_number() || !(*pair)[1].is_number()) {
      reader.fail(node.source(), fmt::format("expected every one of {} to be [epoch, loss]", key));
    }
    points.push_back({(*pair)[0].value_or(0.0), (*pair)[1].value_or(0.0)});
  }
  return points;
}

Published read_published(const toml::table& table, const std::string& name) {
  Published published;
  Reader reader(table, name);
  reader("note", published.note, kAny, "");
  published.train = read_points(reader, "train");
  published.validation = read_points(reader, "validation");
  reader("curve", published.curve, kAny, "");
  reader("curve_system", published.curve_system, kAny, "");
  reader("train_tolerance", published.train_tolerance, kNotNegative, "");
  reader("validation_tolerance", published.validation_tolerance, kNotNegative, "");
  reader("milestone_tolerance", published.milestone_tolerance, kNotNegative, "");
  reader("milestones_from", published.milestones_from, kNotNegative, "");
  reader("recites", published.recites, kNotNegative, "");
  reader("greedy_loop", published.greedy_loop, kAny, "");
  reader.refuse_unknown_keys();
  return published;
}

}  // namespace

RunConfig run_config_from_toml(const std::string& toml, const std::string& name) {
  const toml::table file = parse(toml, name);
  RunConfig config;
  Reader top(file, name);
  for (const std::string& text : read_texts(top, "texts")) config.texts.emplace_back(text);
  for (const std::string& text : read_texts(top, "validation_texts")) config.validation_texts.emplace_back(text);
  std::string from;
  top("from", from, kAny, "");
  config.from = from;
  read_options(top, config, name);
  top.refuse_unknown_keys();
  validate_config(config, name);
  return config;
}

Recipe recipe_from_toml(const std::string& toml, const std::string& name) {
  const toml::table file = parse(toml, name);
  Recipe recipe;
  recipe.name = fs::path(name).stem().string();
  recipe.toml = toml;
  Reader top(file, name);
  top("summary", recipe.summary, kAny, "");
  recipe.aliases = read_texts(top, "aliases");
  top("corpus", recipe.corpus, kAny, "");
  read_texts(top, "validation_texts");
  read_texts(top, "texts");  // a run's config.toml is a recipe for other texts
  read_options(top, recipe.config, name);
  if (const auto* published = top.get<toml::table>("published")) recipe.published = read_published(*published, name);
  top.refuse_unknown_keys();
  validate_config(recipe.config, name);
  return recipe;
}

}  // namespace rune::train
