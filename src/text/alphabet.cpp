#include "text/alphabet.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace rune::text {
namespace {

// Python's string.printable.
constexpr std::string_view kPrintable =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f";

bool leaves_out(std::size_t units, const TextOptions& options) {
  if (options.unknown_symbol || options.min_frequency > 1 || options.coverage < 1) return true;
  if (options.alphabet == Alphabet::printable || options.max_vocabulary == 0) return false;
  return static_cast<std::int64_t>(units) > options.max_vocabulary;
}

/// How many of the counts, the greatest first, make up a share of them all.
std::size_t covering(std::span<const std::size_t> order, std::span<const std::int64_t> counts, double coverage) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  double sum = 0;
  std::size_t size = 0;
  while (size < order.size() && sum < coverage * total) sum += static_cast<double>(counts[order[size++]]);
  return size;
}

/// Of units that occur, those that stay: the most frequent.
std::vector<std::string> frequent(std::span<const std::string> units, std::span<const std::int64_t> counts,
                                  const TextOptions& options) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0 && counts[i] >= options.min_frequency) order.push_back(i);
  }
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : units[a] < units[b];
  });
  if (options.coverage < 1) order.resize(covering(order, counts, options.coverage));
  if (options.max_vocabulary > 0) {
    order.resize(std::min(order.size(), static_cast<std::size_t>(options.max_vocabulary)));
  }
  std::vector<std::string> chosen;
  chosen.reserve(order.size());
  for (const std::size_t i : order) chosen.push_back(units[i]);
  return chosen;
}

}  // namespace

rune::Vocabulary choose_alphabet(std::span<const std::string> units,
                                 const std::function<std::vector<std::int64_t>()>& count, const TextOptions& options) {
  const bool unknown = leaves_out(units.size(), options);
  rune::Vocabulary chosen{.form = options.form};
  std::vector<std::string>& entries = chosen.entries;
  const bool records = options.form.records != Records::none;
  if (unknown) entries.push_back(name_of(Symbol::unknown));
  if (options.padding_symbol) entries.push_back(name_of(Symbol::padding));
  if (records) entries.push_back(name_of(Symbol::begin));
  if (records || options.form.documents) entries.push_back(name_of(Symbol::end));
  if (options.alphabet == Alphabet::printable) {
    for (const char c : kPrintable) entries.emplace_back(1, c);
    return chosen;
  }
  std::vector<std::string> kept =
      unknown ? frequent(units, count(), options) : std::vector<std::string>(units.begin(), units.end());
  std::ranges::sort(kept);
  entries.insert(entries.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  return chosen;
}

}  // namespace rune::text
