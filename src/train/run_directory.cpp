#include "train/run_directory.h"

#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <toml++/toml.h>

#include "base/file.h"
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
  return fmt::format("{}", value);
}
template <Named Enum>
std::string to_toml(const Enum& value) {
  return fmt::format("\"{}\"", name_of(value));
}
std::string to_toml(const Period& value) { return quoted(to_string(value)); }
std::string to_toml(const ScheduleOptions& value) { return quoted(to_string(value)); }
std::string to_toml(const Protocol& value) { return quoted(generate::to_string(value)); }

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class Value>
  void operator()(std::string_view name, const Value& value, const Limits&, std::string_view comment) {
    const std::string line = fmt::format("{} = {}", name, to_toml(value));
    out_ += comment.empty() ? line + '\n' : fmt::format("{:<34}# {}\n", line, comment);
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

  std::string out = "# All that is needed to start this training again. `rune resume` reads it.\n\ntexts = [\n";
  for (const fs::path& path : config.texts) out += "  " + quoted(path.string()) + ",\n";
  out += "]\n\n[model]\n";
  visit_model_options(model, Writer(out));
  out += "\n[train]\n";
  visit_train_options(train, Writer(out));
  out += "\n[optimizer]\n";
  visit_optimizer_options(train, Writer(out));
  return out;
}

RunConfig run_config_from_toml(const std::string& toml, const std::string& name) {
  const toml::table file = parse(toml, name);
  RunConfig config;
  Reader top(file, name);
  if (const auto* texts = top.get<toml::array>("texts")) {
    for (const toml::node& text : *texts) {
      if (!text.is_string()) top.fail(text.source(), Reader::expected("every one of texts", "a text in quotes", text));
      config.texts.emplace_back(text.as_string()->get());
    }
  }
  const auto read_table = [&](std::string_view key, const auto& read) {
    const auto* table = top.get<toml::table>(key);
    if (table == nullptr) return;
    Reader reader(*table, name);
    read(reader);
    reader.refuse_unknown_keys();
  };
  read_table("model", [&](Reader& reader) { visit_model_options(config.model, reader); });
  read_table("train", [&](Reader& reader) { visit_train_options(config.train, reader); });
  read_table("optimizer", [&](Reader& reader) { visit_optimizer_options(config.train, reader); });
  top.refuse_unknown_keys();
  // What no single line is to blame for.
  try {
    model::validate(config.model);
    validate(config.train);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", name, error.what()));
  }
  return config;
}

RunDirectory RunDirectory::create(const fs::path& path, const RunConfig& config) {
  const fs::path absolute = (fs::absolute(path) / "").parent_path();  // without a slash at the end
  RunConfig resolved = config;
  for (fs::path& text : resolved.texts) text = fs::absolute(text);
  std::error_code error;
  fs::create_directories(absolute.parent_path(), error);
  const bool created = !error && fs::create_directory(absolute, error);
  if (error)
    throw FileError(fmt::format("could not create the run directory '{}': {}", path.string(), error.message()));
  if (!created) {
    throw FileError(fmt::format("'{0}' exists already; name another run directory, or go on with it: rune resume {0}",
                                path.string()));
  }
  RunDirectory run(absolute);
  run.write_config(resolved);
  return run;
}

RunDirectory RunDirectory::open(const fs::path& path) {
  RunDirectory run(fs::absolute(path));
  if (!fs::is_regular_file(run.config())) {
    throw InputError(fmt::format("expected a run directory, found no config.toml in '{}'", path.string()));
  }
  return run;
}

RunConfig RunDirectory::read_config() const {
  RunConfig read = run_config_from_toml(read_file(config()), config().string());
  if (read.texts.empty())
    throw InputError(fmt::format("{}: expected at least one file in texts, found none", config().string()));
  return read;
}

void RunDirectory::write_config(const RunConfig& values) const { write_file_atomically(config(), to_toml(values)); }

fs::path resolve_model(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  const RunDirectory run = RunDirectory::open(path);
  for (const fs::path& model : {run.best(), run.last()}) {
    if (fs::exists(model)) return model;
  }
  throw InputError(fmt::format("expected best.safetensors or last.safetensors in '{}', found neither", path.string()));
}

}  // namespace rune::train
