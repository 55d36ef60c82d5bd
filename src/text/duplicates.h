#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "text/corpus.h"

namespace rune::text {

/// What of the validation part stands in the training part as well, letter by letter: records, or passages of a running
/// text that are long enough not to be the same by chance: from the start of a line on, as many whole lines as make 30
/// units.
struct Copies {
  std::int64_t copied = 0;
  std::int64_t of = 0;  // records or passages in all
};
/// Nothing is counted where the training part is larger than a gigabyte of tokens.
Copies copies_in_validation(const Corpus& corpus);

/// The records that training saw, as they read.
std::unordered_set<std::string> training_records(const Corpus& corpus);

}  // namespace rune::text
