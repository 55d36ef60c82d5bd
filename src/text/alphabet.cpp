#include "text/alphabet.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace rune::text {
namespace {

// Python's string.printable.
constexpr std::string_view kPrintable =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f";

bool leaves_out(const UnitCounts& counts, const TextOptions& options) {
  if (options.unknown_symbol || options.min_frequency > 1 || options.coverage < 1) return true;
  if (options.alphabet == Alphabet::printable || options.max_vocabulary == 0) return false;
  return std::ranges::count_if(counts.all, [](std::int64_t count) { return count > 0; }) > options.max_vocabulary;
}

/// How many of the counts, the greatest first, make up a share of them all.
std::size_t covering(std::span<const std::size_t> order, std::span<const std::int64_t> counts, double coverage) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  double sum = 0;
  std::size_t size = 0;
  while (size < order.size() && sum < coverage * total) sum += static_cast<double>(counts[order[size++]]);
  return size;
}

}  // namespace

rune::Vocabulary choose_alphabet(const UnitCounts& counts, const TextOptions& options) {
  const bool unknown = leaves_out(counts, options);
  rune::Vocabulary chosen{.form = options.form};
  std::vector<std::string>& entries = chosen.entries;
  const bool records = options.form.records != Records::none;
  if (unknown) entries.push_back(name_of(Symbol::unknown));
  if (options.padding_symbol) entries.push_back(name_of(Symbol::padding));
  if (records) entries.push_back(name_of(Symbol::begin));
  if (records || options.form.documents) entries.push_back(name_of(Symbol::end));
  const auto symbols = std::ssize(entries);
  if (options.alphabet == Alphabet::printable) {
    for (const char c : kPrintable) entries.emplace_back(1, c);
    return chosen;
  }

  const std::span<const std::int64_t> counted = unknown ? counts.train : counts.all;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < counted.size(); ++i) {
    if (counted[i] > 0 && counted[i] >= options.min_frequency) order.push_back(i);
  }
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return counted[a] != counted[b] ? counted[a] > counted[b] : counts.units[a] < counts.units[b];
  });
  if (options.coverage < 1) order.resize(covering(order, counted, options.coverage));
  if (options.max_vocabulary > 0) {
    order.resize(std::min(order.size(), static_cast<std::size_t>(options.max_vocabulary)));
  }
  for (const std::size_t i : order) entries.push_back(counts.units[i]);
  std::ranges::sort(entries.begin() + symbols, entries.end());
  return chosen;
}

}  // namespace rune::text
