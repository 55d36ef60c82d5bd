#include "text/records.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "text/form.h"
#include "text/pattern.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

[[noreturn]] void fail(const std::string& name, std::int64_t line, const std::string& message) {
  throw InputError(name + ", line " + std::to_string(line) + ": " + message);
}

/// One pass over whole rows of CSV, a field at a time.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name, std::int64_t first_line)
      : text_(text), name_(name), line_(first_line) {}

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
  std::int64_t line_;
};

/// One pass over lines whose fields stand between tabs.
class TsvReader {
 public:
  TsvReader(std::string_view text, const std::string& /*name*/, std::int64_t first_line)
      : text_(text), line_(first_line) {}

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
  std::int64_t line_;
};

}  // namespace

struct RecordReader::Parts {
  TextForm form;
  std::string name;
  std::string rest{};         // behind the last whole line or row
  std::size_t looked_at = 0;  // of the rest
  bool in_quotes = false;     // where that ends
  std::int64_t line = 1;      // of what comes next
  int column = -1;            // from 0; -1: the first row names it
  std::string record{};       // between two separators

  /// Where the whole lines of what has come end, or the whole rows of CSV, whose fields in quotes hold newlines.
  std::size_t end_of_whole() {
    const bool csv = form.records == Records::csv;
    std::size_t end = 0;
    for (; looked_at < rest.size(); ++looked_at) {
      if (csv && rest[looked_at] == '"') in_quotes = !in_quotes;
      if (rest[looked_at] == '\n' && !in_quotes) end = looked_at + 1;
    }
    return end;
  }

  void take(std::string_view whole, const RecordReader::Visit& visit) {
    switch (form.records) {
      case Records::csv:
        return take_column<CsvReader>(whole, visit);
      case Records::tsv:
        return take_column<TsvReader>(whole, visit);
      default:
        break;
    }
    while (!whole.empty()) {
      const std::size_t end = whole.find('\n');
      take_line(whole.substr(0, end), visit);
      whole.remove_prefix(end == std::string_view::npos ? whole.size() : end + 1);
      ++line;
    }
  }

  void take_line(std::string_view text, const RecordReader::Visit& visit) {
    switch (form.records) {
      case Records::jsonl:
        return take_json_field(text, visit);
      case Records::separator:
        return take_between(text, text == form.separator, visit);
      case Records::paragraphs:
        return take_between(text, is_blank(text), visit);
      default:
        return visit(std::string(text));
    }
  }

  /// What stands between lines that separate, without newlines around it.
  void take_between(std::string_view text, bool separates, const RecordReader::Visit& visit) {
    if (separates) return visit(std::exchange(record, {}));
    if (!record.empty()) record += '\n';
    record += text;
  }

  void take_json_field(std::string_view text, const RecordReader::Visit& visit) const {
    if (is_blank(text)) return;
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) fail(name, line, "expected a JSON object, found none that can be read");
    const auto field = json.find(form.field);
    if (field == json.end() || !field->is_string()) {
      fail(name, line,
           "expected a text in the field '" + form.field + "', found " +
               (field == json.end() ? "no such field" : field->type_name()));
    }
    visit(field->get<std::string>());
  }

  /// The wanted field of every row; an empty line is no row.
  template <class Reader>
  void take_column(std::string_view rows, const RecordReader::Visit& visit) {
    Reader reader(rows, name, line);
    std::vector<std::string> row;
    while (!reader.at_end()) {
      const std::int64_t first_line = reader.line();
      row.assign(1, {});
      while (!reader.next(row.back())) row.emplace_back();
      if (row.size() == 1 && row.front().empty() && column != 0) continue;
      if (column < 0) {
        column = named_column(row, first_line);
        continue;
      }
      if (column >= std::ssize(row)) {
        fail(name, first_line,
             "expected a row with a column " + std::to_string(column) + " (counted from 0), found " +
                 std::to_string(row.size()) + " columns");
      }
      visit(std::move(row[static_cast<std::size_t>(column)]));
    }
    line = reader.line();
  }

  [[nodiscard]] int named_column(const std::vector<std::string>& row, std::int64_t first_line) const {
    const auto named = std::ranges::find(row, form.field);
    if (named == row.end())
      fail(name, first_line, "expected a first row that names a column '" + form.field + "', found none");
    return static_cast<int>(named - row.begin());
  }
};

RecordReader::RecordReader(const TextForm& form, std::string name)
    : parts_(std::make_unique<Parts>(Parts{.form = form, .name = std::move(name)})) {
  if (form.field.empty()) parts_->column = form.column;
}
RecordReader::~RecordReader() = default;

void RecordReader::add(std::string_view text, const RecordReader::Visit& visit) {
  Parts& parts = *parts_;
  parts.rest += text;
  if (parts.form.records == Records::files) return;
  const std::size_t end = parts.end_of_whole();
  parts.take(std::string_view(parts.rest).substr(0, end), visit);
  parts.rest.erase(0, end);
  parts.looked_at -= end;
}

void RecordReader::finish(const RecordReader::Visit& visit) {
  Parts& parts = *parts_;
  if (parts.form.records == Records::files) return visit(std::move(parts.rest));
  parts.take(parts.rest, visit);
  if (parts.form.records == Records::separator || parts.form.records == Records::paragraphs)
    visit(std::move(parts.record));
}

struct RecordFilter::Parts {
  TextOptions options;
  std::optional<Pattern> skip{};
  std::int64_t seen = 0;
  std::int64_t kept = 0;
};

RecordFilter::RecordFilter(const TextOptions& options) : parts_(std::make_unique<Parts>(Parts{.options = options})) {
  if (!options.skip_records.empty()) parts_->skip.emplace(options.skip_records, "skip_records");
}
RecordFilter::~RecordFilter() = default;

std::optional<std::string> RecordFilter::keep(std::string_view record) {
  Parts& parts = *parts_;
  const TextOptions& options = parts.options;
  const std::int64_t place = parts.seen++ - options.first_record;
  if (place < 0 || (options.max_records > 0 && place >= options.max_records)) return std::nullopt;
  std::string text = treated(record, options.form);
  const bool too_long = options.max_length > 0 && count_characters(text) > static_cast<std::size_t>(options.max_length);
  if (text.empty() || too_long || (parts.skip && parts.skip->matches(text))) return std::nullopt;
  ++parts.kept;
  return text;
}

void RecordFilter::begin_again() {
  Parts& parts = *parts_;
  if (parts.kept == 0) {
    throw InputError("expected at least one record, found none among " + std::to_string(parts.seen) +
                     "; see records, first_record, max_length and skip_records");
  }
  parts.seen = 0;
  parts.kept = 0;
}

}  // namespace rune::text
