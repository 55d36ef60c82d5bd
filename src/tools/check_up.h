#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "text/corpus.h"
#include "text/suspicions.h"

namespace rune::tools {

/// What there is to know of a text before training on it.
struct CheckUp {
  text::Corpus corpus;
  std::vector<std::pair<std::string, std::int64_t>> units{};  // with their frequencies, the most frequent first
  std::int64_t rare = 0;                                      // units that occur less than three times
  std::vector<text::Suspicion> suspicions{};
  std::int64_t lines = 0;           // that are not empty
  std::int64_t repeated_lines = 0;  // that have stood there before
  // Lines at either end that several files share, or that speak of licences; with the number of files.
  std::vector<std::pair<std::string, std::int64_t>> boilerplate{};
  std::vector<double> entropies{};  // bits a unit, after 0 to 5 units before it; empty where the text is too short
};

/// Reads a text, beside the corpus that has been made of it, as it stands, a piece at a time. Throws as Corpus::read
/// does.
CheckUp check_up(const text::Sources& sources, text::Corpus corpus);

}  // namespace rune::tools
