#include "text/records.h"

#include <optional>
#include <utility>

#include <rune/error.h>

#include "text/unicode.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

using Records = std::vector<std::u32string>;

/// Calls visit(line) for every line, without its newline.
void for_lines(std::u32string_view text, const auto& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find(U'\n');
    visit(text.substr(0, end));
    text.remove_prefix(end == std::u32string_view::npos ? text.size() : end + 1);
  }
}

Records lines(std::u32string_view text) {
  Records records;
  for_lines(text, [&](std::u32string_view line) { records.emplace_back(line); });
  return records;
}

Records between_separators(std::u32string_view text, std::u32string_view separator) {
  Records records(1);
  for_lines(text, [&](std::u32string_view line) {
    if (line == separator) {
      records.emplace_back();
    } else {
      if (!records.back().empty()) records.back() += U'\n';
      records.back() += line;
    }
  });
  return records;
}

/// One pass over CSV, a field at a time.
class CsvReader {
 public:
  explicit CsvReader(std::u32string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::int64_t line() const { return line_; }

  /// The next field; true: it ends its row.
  bool next(std::u32string& field) {
    field.clear();
    if (peek() == U'"') {
      quoted(field);
    } else {
      while (!at_end() && peek() != U',' && peek() != U'\n') {
        if (peek() == U'"') fail("a quote inside a field that does not begin with one");
        field += take();
      }
    }
    if (at_end()) return true;
    return take() == U'\n';
  }

 private:
  void quoted(std::u32string& field) {
    const std::int64_t first_line = line_;
    take();
    for (;;) {
      if (at_end()) {
        line_ = first_line;
        fail("a field in quotes that never ends");
      }
      const char32_t c = take();
      if (c != U'"') {
        field += c;
      } else if (peek() == U'"') {
        field += take();
      } else {
        break;
      }
    }
    if (!at_end() && peek() != U',' && peek() != U'\n') fail("text after a closing quote");
  }

  [[nodiscard]] char32_t peek() const { return at_end() ? U'\0' : text_[at_]; }
  char32_t take() {
    const char32_t c = text_[at_++];
    if (c == U'\n') ++line_;
    return c;
  }
  [[noreturn]] void fail(const std::string& found) const {
    throw InputError("line " + std::to_string(line_) + ": expected CSV, found " + found +
                     "; a field with commas, quotes or newlines stands in quotes, and a quote in it is doubled");
  }

  std::u32string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

Records csv_column(std::u32string_view text, int column) {
  Records records;
  CsvReader reader(text);
  std::u32string field;
  while (!reader.at_end()) {
    const std::int64_t line = reader.line();
    std::optional<std::u32string> wanted;
    int count = 0;
    for (bool last = false; !last; ++count) {
      last = reader.next(field);
      if (count == column) wanted = field;
    }
    if (wanted) {
      records.push_back(std::move(*wanted));
    } else if (count > 1 || !field.empty()) {  // an empty line is no row
      throw InputError("line " + std::to_string(line) + ": expected a row with a column " + std::to_string(column) +
                       " (counted from 0), found " + std::to_string(count) + " columns");
    }
  }
  return records;
}

Records all_records(std::u32string_view text, const TextOptions& options) {
  switch (options.records) {
    case rune::Records::csv:
      return csv_column(text, options.column);
    case rune::Records::separator:
      return between_separators(text, decode_utf8(options.separator, "the separator"));
    case rune::Records::lines:
    case rune::Records::none:
      break;
  }
  return lines(text);
}

}  // namespace

std::vector<std::u32string> split_records(std::u32string_view text, const TextOptions& options) {
  Records all = all_records(text, options);
  std::optional<Pattern> skip;
  if (!options.skip_records.empty()) skip.emplace(options.skip_records, "skip_records");
  Records kept;
  const auto first = static_cast<std::size_t>(options.first_record);
  for (std::size_t i = first; i < all.size(); ++i) {
    if (options.max_records > 0 && i - first >= static_cast<std::size_t>(options.max_records)) break;
    const bool too_long = options.max_length > 0 && all[i].size() > static_cast<std::size_t>(options.max_length);
    if (all[i].empty() || too_long || (skip && skip->matches(all[i]))) continue;
    kept.push_back(std::move(all[i]));
  }
  if (kept.empty()) {
    throw InputError("expected at least one record, found none among " + std::to_string(all.size()) +
                     "; see records, first_record, max_length and skip_records");
  }
  return kept;
}

}  // namespace rune::text
