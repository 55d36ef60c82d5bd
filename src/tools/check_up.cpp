#include "tools/check_up.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "text/decoder.h"
#include "text/ngrams.h"
#include "text/source.h"

namespace rune::tools {
namespace {

constexpr std::size_t kEntropyTokens = 1'000'000;  // that the baseline learns from, at most
constexpr int kOrders = 5;
constexpr std::int64_t kRare = 3;
constexpr std::size_t kEndLines = 40;          // that are looked at, at either end of a file
constexpr std::size_t kLongestEndLine = 1000;  // bytes
constexpr std::size_t kMostLines = 4'000'000;  // different ones that are remembered

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

/// What the lines of a text tell. They come in pieces of whole lines.
class Lines {
 public:
  void read(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1)) {
      const std::string_view line = text.substr(0, text.find('\n'));
      if (line.empty()) continue;
      ++count_;
      const std::size_t hash = std::hash<std::string_view>()(line);
      if (seen_.contains(hash)) {
        ++repeated_;
      } else if (seen_.size() < kMostLines) {
        seen_.insert(hash);
      }
      if (first_.size() < kEndLines) first_.emplace_back(line.substr(0, kLongestEndLine));
      last_.emplace_back(line.substr(0, kLongestEndLine));
      if (last_.size() > kEndLines) last_.pop_front();
    }
  }

  void end_file() {
    std::set<std::string> ends(last_.begin(), last_.end());
    ends.insert(first_.begin(), first_.end());
    for (const std::string& line : ends) ++files_[line];
    ++file_count_;
    first_.clear();
    last_.clear();
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
  std::vector<std::string> first_;             // of the file that is read
  std::deque<std::string> last_;
};

void add(std::vector<text::Suspicion>& suspicions, std::vector<text::Suspicion> more) {
  for (text::Suspicion& found : more) {
    const auto known = std::ranges::find(suspicions, found.kind, &text::Suspicion::kind);
    if (known == suspicions.end()) {
      suspicions.push_back(std::move(found));
    } else {
      known->count += found.count;
    }
  }
}

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

CheckUp check_up(const text::Sources& sources, text::Corpus corpus) {
  CheckUp result{.corpus = std::move(corpus)};
  Lines lines;
  text::for_documents(sources.texts, result.corpus.options.include, [&](const text::Document& document) {
    text::Decoder decoder(document.bytes, document.name, result.corpus.options);
    for (std::string piece; decoder.next(piece);) {
      lines.read(piece);
      add(result.suspicions, text::find_suspicions(piece));
    }
    lines.end_file();
  });
  lines.report(result);
  count_units(result);
  if (!result.corpus.train.empty() && !result.corpus.validation.empty()) {
    const std::span<const std::int32_t> train = result.corpus.train;
    const std::span<const std::int32_t> test = result.corpus.validation;
    result.entropies = text::ngram_entropies(train.last(std::min(train.size(), kEntropyTokens)),
                                             test.first(std::min(test.size(), kEntropyTokens / 10)),
                                             result.corpus.vocabulary.size(), kOrders);
  }
  return result;
}

}  // namespace rune::tools
