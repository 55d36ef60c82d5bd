#include "text/corpus.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <span>

#include <rune/error.h>

#include "text/alphabet.h"
#include "text/form.h"
#include "text/prefix.h"
#include "text/records.h"
#include "text/segmenter.h"
#include "text/source.h"
#include "text/text_hash.h"
#include "text/token_store.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

/// How many of `size` characters, records or tokens are for training, where the end is for validation.
std::size_t training_size(std::size_t size, const TextOptions& options) {
  if (!options.validation_characters) return split_point(size, options.validation_fraction);
  const auto validation = static_cast<std::size_t>(*options.validation_characters);
  if (validation >= size) {
    throw InputError("expected validation_characters to be below the text's " + std::to_string(size) + ", found " +
                     std::to_string(validation));
  }
  return size - validation;
}

/// Makes a corpus of files that come one after the other. Until all have come, tokens have provisional numbers:
/// symbols, then units in the order of their first appearance.
class Assembly {
 public:
  Assembly(const TextOptions& options, std::optional<Vocabulary> vocabulary, const ReadingPlan& plan,
           std::uintmax_t size)
      : options_(options), given_(std::move(vocabulary)), on_progress_(plan.on_progress), size_(size) {
    if (!plan.token_file.empty()) tokens_ = TokenStore(plan.token_file);
    tokens_.expect(size);
    if (given_) options_.form = form_like(given_->form(), options.form);
    segmenter_ = Segmenter(options_.form.unit);
    if (has_records()) filter_ = std::make_unique<RecordFilter>(options_);
  }

  void add(const Document& document) {
    Decoder decoder(document.bytes, document.name, options_);
    RecordReader records(options_.form, "'" + document.name + "'");
    const auto add = [&](const std::string& record) { add_record(record); };
    const bool as_it_is = options_.form.unit == Unit::character && !has_records() && !is_changed(options_.form) &&
                          options_.first_characters == 0;
    for (std::string piece; decoder.next(piece);) {
      if (on_progress_)
        on_progress_(std::min(1.0, static_cast<double>(read_ += piece.size()) / static_cast<double>(size_)));
      for_characters(piece, [&](std::span<const char32_t> characters) {
        hash_.add(characters);
        if (as_it_is) add_characters(characters);
      });
      if (as_it_is) continue;
      const std::string_view text = among_the_first(piece);
      if (has_records()) {
        records.add(text, add);
      } else {
        add_units(treated(text, options_.form));
      }
    }
    if (has_records()) records.finish(add);
    if (options_.form.documents && !has_records()) add_symbol(Symbol::end);
    readings_.push_back(decoder.reading());
    document_ends_.push_back(tokens_.size());
  }

  /// What comes from now on is for validation.
  void begin_validation() {
    hash_.add(std::array{U'\0'});
    if (has_records()) filter_->begin_again();
    validation_begin_ = tokens_.size();
    characters_ = 0;
  }

  Corpus finish(Unknown unknown) {
    if (has_records()) filter_->begin_again();
    if (tokens_.size() == 0) fail_empty();
    const std::span<std::int32_t> tokens = tokens_.all();
    const std::size_t split = split_tokens();
    if (!given_) {
      const auto count = [&] { return counts_in(tokens.first(split)); };
      given_.emplace(choose_alphabet(units_, count, options_));
    }
    Corpus corpus{.vocabulary = std::move(*given_), .hash = hash_.digits(), .options = options_};
    const std::size_t records = std::ranges::upper_bound(ends_, split) - ends_.begin();
    std::vector<std::int32_t> numbers = numbers_in(corpus.vocabulary);
    if (std::ranges::find(numbers.begin() + kSymbols, numbers.end(), -1) != numbers.end()) {
      corpus.unknown = unknown_units(numbers, counts_in(tokens));
    }
    if (corpus.unknown.distinct > 0 && corpus.vocabulary.token(Symbol::unknown) < 0) {
      if (unknown == Unknown::error) fail_unknown(tokens, numbers);
      return skipping(std::move(corpus), numbers, split, records);
    }
    std::ranges::replace(numbers, -1, corpus.vocabulary.token(Symbol::unknown));
    for (std::int32_t& token : tokens) token = numbers[static_cast<std::size_t>(token)];
    deal(corpus, tokens.size(), split, records);
    return corpus;
  }

 private:
  [[nodiscard]] bool has_records() const { return options_.form.records != Records::none; }

  /// As much of the next piece as lies within first_characters.
  std::string_view among_the_first(std::string_view piece) {
    if (options_.first_characters == 0) return piece;
    std::size_t at = 0;
    for (; at < piece.size() && characters_ < options_.first_characters; ++characters_) {
      const Decoded next = decode_at(piece, at);
      at += next.wrong == nullptr ? next.length : 1;
    }
    return piece.substr(0, at);
  }

  void add_symbol(Symbol symbol) { tokens_.push_back(static_cast<std::int32_t>(symbol)); }

  void add_units(std::string_view text) {
    if (options_.form.unit == Unit::character) {
      for_characters(text, [&](std::span<const char32_t> characters) { add_characters(characters); });
    } else if (options_.form.unit == Unit::byte) {
      tokens_.append(text.size(), [&](std::size_t i) { return known(byte_as_character(text[i])); });
    } else {
      segmenter_.for_each(text, [&](std::string_view unit) { tokens_.push_back(known(unit)); });
    }
  }

  void add_characters(std::span<const char32_t> characters) {
    tokens_.append(characters.size(), [&](std::size_t i) { return known(characters[i]); });
  }

  /// The number of a unit, a new one where it has none yet.
  std::int32_t known(const auto& unit) {
    const std::int32_t number = index_.find(unit);
    return number == UnitIndex::kNone ? add_new(unit) : number;
  }

  std::int32_t add_new(char32_t character) { return add_new(bytes_of(character)); }
  std::int32_t add_new(std::string_view unit) {
    const auto number = static_cast<std::int32_t>(kSymbols + units_.size());
    index_.insert(unit, number);
    units_.emplace_back(unit);
    return number;
  }

  void add_record(const std::string& record) {
    const std::optional<std::string> kept = filter_->keep(record);
    if (!kept) return;
    add_symbol(Symbol::begin);
    add_units(*kept);
    add_symbol(Symbol::end);
    ends_.push_back(tokens_.size());
  }

  [[nodiscard]] std::size_t split_tokens() const {
    if (validation_begin_) {
      if (const std::size_t size = tokens_.size() - *validation_begin_; size < 2)
        throw InputError("expected a text for validation, found " + std::to_string(size) + " characters");
      return *validation_begin_;
    }
    if (splits_windows(options_)) return tokens_.size();
    if (has_records()) {
      // One at least is learned from; a single one is not split.
      return ends_[std::max<std::size_t>(training_size(ends_.size(), options_), 1) - 1];
    }
    if (options_.validation_split == ValidationSplit::documents) return split_documents();
    const std::size_t split = training_size(tokens_.size(), options_);
    return split + 1 == tokens_.size() ? tokens_.size() : split;  // one token alone cannot be measured on
  }

  /// Whole files for validation, as few as reach the fraction, and one for training at least.
  [[nodiscard]] std::size_t split_documents() const {
    if (document_ends_.size() < 2) {
      throw InputError("expected several files where whole ones are split, found one; give more, or split its tail");
    }
    const std::size_t wanted = split_point(tokens_.size(), options_.validation_fraction);
    if (wanted == tokens_.size()) return wanted;
    const auto after = std::ranges::upper_bound(document_ends_, wanted);
    return after == document_ends_.begin() ? *after : *(after - 1);
  }

  /// How often each unit occurs among tokens.
  [[nodiscard]] std::vector<std::int64_t> counts_in(std::span<const std::int32_t> tokens) const {
    std::vector<std::int64_t> counts(units_.size());
    for (const std::int32_t token : tokens) {
      if (token >= static_cast<std::int32_t>(kSymbols)) ++counts[static_cast<std::size_t>(token) - kSymbols];
    }
    return counts;
  }

  /// The tokens in an alphabet that provisional numbers stand for; -1: unknown.
  [[nodiscard]] std::vector<std::int32_t> numbers_in(const Vocabulary& vocabulary) const {
    std::vector<std::int32_t> numbers;
    for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
      numbers.push_back(vocabulary.token(static_cast<Symbol>(symbol)));
    }
    const auto require = [&](bool needed, Symbol symbol) {
      if (needed && vocabulary.token(symbol) < 0) {
        throw InputError("the alphabet has no " + name_of(symbol) +
                         ": the model was made for a running text; leave records and documents alone");
      }
    };
    require(has_records(), Symbol::begin);
    require(has_records() || options_.form.documents, Symbol::end);
    for (const std::string& unit : units_) numbers.push_back(vocabulary.token(unit));
    return numbers;
  }

  [[nodiscard]] UnknownUnits unknown_units(std::span<const std::int32_t> numbers,
                                           std::span<const std::int64_t> counts) const {
    constexpr std::size_t kListed = 10;
    UnknownUnits unknown;
    for (std::size_t i = 0; i < units_.size(); ++i) {
      if (numbers[kSymbols + i] >= 0) continue;
      ++unknown.distinct;
      unknown.occurrences += counts[i];
      unknown.most_frequent.emplace_back(units_[i], counts[i]);
    }
    auto& list = unknown.most_frequent;
    const auto listed = list.begin() + static_cast<std::ptrdiff_t>(std::min(kListed, list.size()));
    std::ranges::partial_sort(list, listed, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    list.erase(listed, list.end());
    return unknown;
  }

  [[noreturn]] void fail_unknown(std::span<const std::int32_t> tokens, std::span<const std::int32_t> numbers) const {
    const auto unknown = [&](std::int32_t token) { return numbers[static_cast<std::size_t>(token)] < 0; };
    const std::size_t at = std::ranges::find_if(tokens, unknown) - tokens.begin();
    // The record or file that it stands in.
    const std::vector<std::size_t>& ends = has_records() ? ends_ : document_ends_;
    const std::size_t part = std::ranges::upper_bound(ends, at) - ends.begin();
    const std::string name = has_records() ? "record " + std::to_string(part + 1) : readings_[part].name;
    Place place;
    for (std::size_t i = part == 0 ? 0 : ends[part - 1]; i < at; ++i) {
      if (tokens[i] >= static_cast<std::int32_t>(kSymbols)) place.pass(unit_of(tokens[i]));
    }
    place.fail_unknown(unit_of(tokens[at]), name, options_.form.unit);
  }

  [[nodiscard]] const std::string& unit_of(std::int32_t token) const {
    return units_[static_cast<std::size_t>(token) - kSymbols];
  }

  /// Leaves unknown units out.
  Corpus skipping(Corpus corpus, std::span<const std::int32_t> numbers, std::size_t split, std::size_t records) {
    const std::span<std::int32_t> tokens = tokens_.all();
    std::size_t kept = 0;
    std::size_t kept_split = 0;
    auto end = ends_.begin();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::int32_t number = numbers[static_cast<std::size_t>(tokens[i])];
      if (number >= 0) tokens[kept++] = number;
      if (i + 1 == split) kept_split = kept;
      if (end != ends_.end() && *end == i + 1) *end++ = kept;
    }
    deal(corpus, kept, kept_split, records);
    return corpus;
  }

  /// Gives tokens and records to the two parts.
  void deal(Corpus& corpus, std::size_t size, std::size_t split, std::size_t records) {
    const auto middle = ends_.begin() + static_cast<std::ptrdiff_t>(records);
    corpus.train_ends.assign(ends_.begin(), middle);
    corpus.validation_ends.assign(middle, ends_.end());
    for (std::size_t& end : corpus.validation_ends) end -= split;
    corpus.readings = std::move(readings_);
    corpus.in_memory = tokens_.in_memory();
    const Tokens all = tokens_.finish(size);
    corpus.train = all.part(0, split);
    corpus.validation = all.part(split, size - split);
  }

  [[noreturn]] void fail_empty() const {
    std::string names;
    for (const Reading& reading : readings_) names += (names.empty() ? "'" : ", '") + reading.name + "'";
    throw InputError("expected text, found none in " + names);
  }

  static constexpr std::size_t kSymbols = kSymbolNames.size();

  TextOptions options_;
  std::optional<Vocabulary> given_;
  Segmenter segmenter_{Unit::character};
  UnitIndex index_;
  std::vector<std::string> units_;
  TokenStore tokens_;
  std::unique_ptr<RecordFilter> filter_;  // of records
  std::vector<std::size_t> ends_;         // of records
  std::vector<std::size_t> document_ends_;
  std::optional<std::size_t> validation_begin_;
  std::int64_t characters_ = 0;  // of the first ones of a part
  std::vector<Reading> readings_;
  TextHash hash_;
  std::function<void(double)> on_progress_;
  std::uintmax_t size_;      // of all files, about
  std::uintmax_t read_ = 0;  // bytes of text
};

}  // namespace

Corpus Corpus::read(const Sources& sources, const TextOptions& options, std::optional<Vocabulary> vocabulary,
                    Unknown unknown, const ReadingPlan& plan) {
  Assembly assembly(options, std::move(vocabulary), plan, size_of(sources.texts) + size_of(sources.validation));
  const auto add = [&](const Document& document) { assembly.add(document); };
  for_documents(sources.texts, options.include, add);
  if (!sources.validation.empty()) {
    assembly.begin_validation();
    for_documents(sources.validation, options.include, add);
  }
  return assembly.finish(unknown);
}

Corpus Corpus::from_text(std::string_view bytes, const TextOptions& options, std::optional<Vocabulary> vocabulary,
                         Unknown unknown) {
  Assembly assembly(options, std::move(vocabulary), {}, bytes.size());
  assembly.add({"the text", bytes});
  return assembly.finish(unknown);
}

std::size_t split_point(std::size_t size, double validation_fraction) {
  if (!(validation_fraction >= 0 && validation_fraction < 1)) {
    throw InputError("expected a validation fraction of at least 0 and less than 1, found " +
                     std::to_string(validation_fraction));
  }
  return static_cast<std::size_t>(static_cast<double>(size) * (1 - validation_fraction));
}

}  // namespace rune::text
