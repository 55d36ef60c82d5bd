#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::text {

/// Cuts a file into records as its text comes, in order and as they stand there, empty ones too: lines, paragraphs,
/// fields of CSV (RFC 4180: a field in quotes may hold commas, newlines and doubled quotes) or TSV, of JSON Lines, what
/// stands between separator lines, or the file as one. Holds no more than what may still grow. Not thread-safe.
class RecordReader {
 public:
  using Visit = std::function<void(std::string record)>;

  /// `name` is the file's, in messages.
  RecordReader(const TextForm& form, std::string name);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  /// Calls visit(record) for those that are whole now. Throws InputError naming file and line where the file is
  /// malformed or has no such field.
  void add(std::string_view text, const Visit& visit);
  /// For the last ones, at the end of the file.
  void finish(const Visit& visit);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Chooses the records that are learned from: not those that are empty, too long, that the pattern matches, or that lie
/// outside of first_record and max_records, which count all that there are. Not thread-safe.
class RecordFilter {
 public:
  explicit RecordFilter(const TextOptions& options);
  ~RecordFilter();
  RecordFilter(const RecordFilter&) = delete;
  RecordFilter& operator=(const RecordFilter&) = delete;

  /// The next record in the form of the options; nothing where it is left out.
  std::optional<std::string> keep(std::string_view record);
  /// Counts from the first record again. Throws InputError if none has been kept.
  void begin_again();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rune::text
