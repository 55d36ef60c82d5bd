#include "tools/check_up.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <unordered_set>

#include "text/decoder.h"
#include "text/ngrams.h"
#include "text/source.h"

namespace rune::tools {
namespace {

constexpr std::size_t kEntropyTokens = 1'000'000;  // that the baseline learns from, at most
constexpr int kOrders = 5;
constexpr std::int64_t kRare = 3;
constexpr std::size_t kEndLines = 40;  // that are looked at, at either end of a file

std::string lowercase(std::string_view line) {
  std::string lower(line);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool speaks_of_a_licence(std::string_view line) {
  constexpr std::array<std::string_view, 6> kWords{"project gutenberg", "copyright",           "licence",
                                                   "license",           "all rights reserved", "isbn"};
  const std::string lower = lowercase(line);
  return std::ranges::any_of(kWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

/// What the lines of a text tell.
class Lines {
 public:
  void read_file(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) lines.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    count_ += std::ssize(lines);
    for (const std::string_view line : lines)
      repeated_ += seen_.insert(std::hash<std::string_view>()(line)).second ? 0 : 1;
    const std::size_t at_an_end = std::min(kEndLines, lines.size());
    std::map<std::string_view, bool> ends;
    for (std::size_t i = 0; i < at_an_end; ++i) {
      ends[lines[i]] = true;
      ends[lines[lines.size() - 1 - i]] = true;
    }
    for (const auto& [line, unused] : ends) ++files_[std::string(line)];
    ++file_count_;
  }

  void report(CheckUp& check_up) const {
    check_up.lines = count_;
    check_up.repeated_lines = repeated_;
    constexpr std::int64_t kFiles = 3;
    for (const auto& [line, files] : files_) {
      const bool shared = files >= kFiles && 2 * files > file_count_;
      if (shared || speaks_of_a_licence(line)) check_up.boilerplate.emplace_back(line, files);
    }
    std::ranges::stable_sort(check_up.boilerplate, std::ranges::greater(),
                             [](const auto& entry) { return entry.second; });
  }

 private:
  std::int64_t count_ = 0;
  std::int64_t repeated_ = 0;
  std::int64_t file_count_ = 0;
  std::unordered_set<std::size_t> seen_;
  std::map<std::string, std::int64_t> files_;  // in which a line stands at an end
};

void count_units(CheckUp& check_up) {
  const text::Vocabulary& vocabulary = check_up.corpus.vocabulary;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(vocabulary.size()));
  for (const text::Tokens* part : {&check_up.corpus.train, &check_up.corpus.validation}) {
    for (const std::int32_t token : *part) ++counts[static_cast<std::size_t>(token)];
  }
  for (int token = 0; token < vocabulary.size(); ++token) {
    const std::int64_t count = counts[static_cast<std::size_t>(token)];
    if (vocabulary.is_symbol(token) || count == 0) continue;
    check_up.units.emplace_back(vocabulary.entry(token), count);
    check_up.rare += count < kRare ? 1 : 0;
  }
  std::ranges::stable_sort(check_up.units, std::ranges::greater(), [](const auto& entry) { return entry.second; });
}

}  // namespace

CheckUp check_up(const text::Sources& sources, const TextOptions& options) {
  Lines lines;
  std::vector<text::Suspicion> suspicions;
  text::for_documents(sources.texts, options.include, [&](const text::Document& document) {
    const std::string text = text::decode(document.bytes, document.name, options);
    lines.read_file(text);
    for (text::Suspicion& found : text::find_suspicions(text)) {
      const auto known = std::ranges::find(suspicions, found.kind, &text::Suspicion::kind);
      if (known == suspicions.end()) {
        suspicions.push_back(std::move(found));
      } else {
        known->count += found.count;
      }
    }
  });
  CheckUp result{.corpus = text::Corpus::read(sources, options), .suspicions = std::move(suspicions)};
  lines.report(result);
  count_units(result);
  const text::Corpus& corpus = result.corpus;
  if (!corpus.train.empty() && !corpus.validation.empty()) {
    const std::span<const std::int32_t> train = corpus.train;
    const std::span<const std::int32_t> test = corpus.validation;
    result.entropies = text::ngram_entropies(train.last(std::min(train.size(), kEntropyTokens)),
                                             test.first(std::min(test.size(), kEntropyTokens / 10)),
                                             corpus.vocabulary.size(), kOrders);
  }
  return result;
}

}  // namespace rune::tools
