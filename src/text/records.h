#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>

namespace rune::text {

/// Appends the records of a file, in order and as they stand there, empty ones too: lines, paragraphs, fields of CSV
/// (RFC 4180: a field in quotes may hold commas, newlines and doubled quotes) or TSV, of JSON Lines, what stands
/// between separator lines, or the file as one. Throws InputError naming `name`, line and column where the file is
/// malformed or has no such field.
void append_records(std::vector<std::string>& records, std::string_view text, const TextForm& form,
                    const std::string& name);

/// Of all records those that are learned from, in their form: without those that are empty, too long, that the pattern
/// matches, or that lie outside of first_record and max_records (which count all that there are). Throws InputError if
/// none is left.
std::vector<std::string> kept_records(const std::vector<std::string>& records, const TextOptions& options);

}  // namespace rune::text
