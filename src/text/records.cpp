#include "text/records.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "text/form.h"
#include "text/pattern.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

using Records = std::vector<std::string>;

/// Calls visit(line) for every line, without its newline.
void for_lines(std::string_view text, const auto& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

void append_lines(Records& records, std::string_view text) {
  for_lines(text, [&](std::string_view line) { records.emplace_back(line); });
}

/// What stands between the lines that `separates` is true of, without newlines around it.
void append_between(Records& records, std::string_view text, const auto& separates) {
  std::string record;
  for_lines(text, [&](std::string_view line) {
    if (separates(line)) {
      records.push_back(std::exchange(record, {}));
      return;
    }
    if (!record.empty()) record += '\n';
    record += line;
  });
  records.push_back(record);
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

[[noreturn]] void fail(const std::string& name, std::int64_t line, const std::string& message) {
  throw InputError(name + ", line " + std::to_string(line) + ": " + message);
}

/// One pass over CSV, a field at a time.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::int64_t line() const { return line_; }

  /// The next field; true: it ends its row.
  bool next(std::string& field) {
    field.clear();
    if (peek() == '"') {
      quoted(field);
    } else {
      while (!at_end() && peek() != ',' && peek() != '\n') {
        if (peek() == '"') fail("a quote inside a field that does not begin with one");
        field += take();
      }
    }
    if (at_end()) return true;
    return take() == '\n';
  }

 private:
  void quoted(std::string& field) {
    const std::int64_t first_line = line_;
    take();
    for (;;) {
      if (at_end()) {
        line_ = first_line;
        fail("a field in quotes that never ends");
      }
      const char c = take();
      if (c != '"') {
        field += c;
      } else if (peek() == '"') {
        field += take();
      } else {
        break;
      }
    }
    if (!at_end() && peek() != ',' && peek() != '\n') fail("text after a closing quote");
  }

  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  char take() {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }
  [[noreturn]] void fail(const std::string& found) const {
    text::fail(name_, line_,
               "expected CSV, found " + found +
                   "; a field with commas, quotes or newlines stands in quotes, and a quote in it is doubled");
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

/// One pass over lines whose fields stand between tabs.
class TsvReader {
 public:
  TsvReader(std::string_view text, const std::string& /*name*/) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  [[nodiscard]] std::int64_t line() const { return line_; }

  bool next(std::string& field) {
    const std::size_t end = text_.find_first_of("\t\n");
    field = text_.substr(0, end);
    const bool last = end == std::string_view::npos || text_[end] == '\n';
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (last) ++line_;
    return last;
  }

 private:
  std::string_view text_;
  std::int64_t line_ = 1;
};

/// The wanted field of every row; an empty line is no row.
template <class Reader>
void append_column(Records& records, std::string_view text, const TextForm& form, const std::string& name) {
  Reader reader(text, name);
  int column = form.field.empty() ? form.column : -1;
  Records row;
  while (!reader.at_end()) {
    const std::int64_t line = reader.line();
    row.assign(1, {});
    while (!reader.next(row.back())) row.emplace_back();
    if (row.size() == 1 && row.front().empty() && column != 0) continue;
    if (column < 0) {  // the first row names them
      const auto named = std::ranges::find(row, form.field);
      if (named == row.end())
        fail(name, line, "expected a first row that names a column '" + form.field + "', found none");
      column = static_cast<int>(named - row.begin());
      continue;
    }
    if (column >= std::ssize(row)) {
      fail(name, line,
           "expected a row with a column " + std::to_string(column) + " (counted from 0), found " +
               std::to_string(row.size()) + " columns");
    }
    records.push_back(std::move(row[static_cast<std::size_t>(column)]));
  }
}

void append_json_fields(Records& records, std::string_view text, const TextForm& form, const std::string& name) {
  std::int64_t number = 0;
  for_lines(text, [&](std::string_view line) {
    ++number;
    if (is_blank(line)) return;
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) fail(name, number, "expected a JSON object, found none that can be read");
    const auto field = json.find(form.field);
    if (field == json.end() || !field->is_string()) {
      fail(name, number,
           "expected a text in the field '" + form.field + "', found " +
               (field == json.end() ? "no such field" : field->type_name()));
    }
    records.push_back(field->get<std::string>());
  });
}

}  // namespace

void append_records(Records& records, std::string_view text, const TextForm& form, const std::string& name) {
  switch (form.records) {
    case rune::Records::csv:
      return append_column<CsvReader>(records, text, form, name);
    case rune::Records::tsv:
      return append_column<TsvReader>(records, text, form, name);
    case rune::Records::jsonl:
      return append_json_fields(records, text, form, name);
    case rune::Records::separator:
      return append_between(records, text, [&](std::string_view line) { return line == form.separator; });
    case rune::Records::paragraphs:
      return append_between(records, text, is_blank);
    case rune::Records::files:
      records.emplace_back(text);
      return;
    case rune::Records::lines:
    case rune::Records::none:
      return append_lines(records, text);
  }
}

Records kept_records(const Records& records, const TextOptions& options) {
  std::optional<Pattern> skip;
  if (!options.skip_records.empty()) skip.emplace(options.skip_records, "skip_records");
  Records kept;
  const auto first = static_cast<std::size_t>(options.first_record);
  for (std::size_t i = first; i < records.size(); ++i) {
    if (options.max_records > 0 && i - first >= static_cast<std::size_t>(options.max_records)) break;
    std::string record = treated(records[i], options.form);
    const bool too_long =
        options.max_length > 0 && count_characters(record) > static_cast<std::size_t>(options.max_length);
    if (record.empty() || too_long || (skip && skip->matches(record))) continue;
    kept.push_back(std::move(record));
  }
  if (kept.empty()) {
    throw InputError("expected at least one record, found none among " + std::to_string(records.size()) +
                     "; see records, first_record, max_length and skip_records");
  }
  return kept;
}

}  // namespace rune::text
