#include "text/duplicates.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace rune::text {
namespace {

constexpr std::size_t kMostTokens = std::size_t{1} << 28;
constexpr std::size_t kPassage = 30;  // units, at least

using Part = std::span<const std::int32_t>;

void for_records(Part tokens, std::span<const std::size_t> ends, const auto& visit) {
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    visit(tokens.subspan(begin, end - begin));
    begin = end;
  }
}

void for_passages(Part tokens, std::int32_t newline, const auto& visit) {
  while (tokens.size() >= kPassage) {
    const auto end = std::find(tokens.begin() + kPassage, tokens.end(), newline);
    visit(tokens.first(end - tokens.begin()));
    const std::size_t line = std::ranges::find(tokens, newline) - tokens.begin();
    tokens = tokens.subspan(std::min(line + 1, tokens.size()));
  }
}

void for_parts(const Tokens& tokens, std::span<const std::size_t> ends, std::int32_t newline, const auto& visit) {
  if (ends.empty()) {
    for_passages(tokens, newline, visit);
  } else {
    for_records(tokens, ends, visit);
  }
}

}  // namespace

Copies copies_in_validation(const Corpus& corpus) {
  Copies copies;
  if (corpus.validation.empty() || corpus.train.size() > kMostTokens) return copies;
  const std::int32_t newline = corpus.vocabulary.token("\n");
  std::unordered_set<std::uint64_t> seen;
  for_parts(corpus.train, corpus.train_ends, newline, [&](Part part) { seen.insert(hash_of(part)); });
  for_parts(corpus.validation, corpus.validation_ends, newline, [&](Part part) {
    ++copies.of;
    copies.copied += seen.contains(hash_of(part)) ? 1 : 0;
  });
  return copies;
}

std::unordered_set<std::string> training_records(const Corpus& corpus) {
  std::unordered_set<std::string> records;
  for_records(corpus.train, corpus.train_ends, [&](Part record) {
    records.insert(corpus.vocabulary.decode(record.subspan(1, record.size() - 2)));  // without <BOS> and <EOS>
  });
  return records;
}

}  // namespace rune::text
