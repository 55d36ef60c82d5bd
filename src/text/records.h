#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>

namespace rune::text {

/// The records of a text, in order, as `options` ask for them: lines, fields of a CSV column (RFC 4180: a field in
/// quotes may hold commas, newlines and doubled quotes), or what stands between separator lines; empty ones left out,
/// and those that are too long, that the pattern matches, or that lie outside of first_record and max_records (which
/// count the records of the text as it stands).
/// Throws InputError naming line and column where CSV is malformed or a row has too few columns, and if no record is
/// left.
std::vector<std::u32string> split_records(std::u32string_view text, const TextOptions& options);

}  // namespace rune::text
