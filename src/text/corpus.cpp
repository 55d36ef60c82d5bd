#include "text/corpus.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <rune/error.h>

#include "base/file.h"
#include "base/hash.h"
#include "text/records.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr char32_t kByteOrderMark = 0xFEFF;

std::string hash_of(std::u32string_view text) {
  Hash hash;
  constexpr std::size_t kChunk = 4096;
  std::array<char, 4 * kChunk> bytes;
  for (; !text.empty(); text.remove_prefix(std::min(kChunk, text.size()))) {
    const std::u32string_view chunk = text.substr(0, kChunk);
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      for (std::size_t k = 0; k < 4; ++k) bytes[4 * i + k] = static_cast<char>(chunk[i] >> (8 * k));
    }
    hash.update({bytes.data(), 4 * chunk.size()});
  }
  return hash.digits();
}

}  // namespace

std::u32string decode_text(std::string_view bytes, const std::string& name) {
  const std::u32string decoded = decode_utf8(bytes, name);
  std::u32string_view characters = decoded;
  if (characters.starts_with(kByteOrderMark)) characters.remove_prefix(1);
  std::u32string text;
  text.reserve(characters.size());
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (!characters.substr(i).starts_with(U"\r\n")) text += characters[i];
  }
  return text;
}

std::u32string read_text(std::span<const std::filesystem::path> paths) {
  std::u32string text;
  std::string names;
  for (const std::filesystem::path& path : paths) {
    text += decode_text(read_file(path), path.string());
    names += (names.empty() ? "'" : ", '") + path.string() + "'";
  }
  if (text.empty()) throw InputError("expected text, found " + (names.empty() ? "no files" : "none in " + names));
  return text;
}

namespace {

// Python's string.printable.
constexpr std::u32string_view kPrintable =
    U"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f";

using Parts = std::vector<std::u32string_view>;  // a running text is one, records are many

/// How many parts, and how many characters of a running text, are for training.
std::size_t training_size(std::size_t size, const TextOptions& options) {
  if (options.validation_split != ValidationSplit::tail) return size;
  if (!options.validation_characters) return split_point(size, options.validation_fraction);
  const auto validation = static_cast<std::size_t>(*options.validation_characters);
  if (validation >= size) {
    throw InputError("expected validation_characters to be below the text's " + std::to_string(size) + ", found " +
                     std::to_string(validation));
  }
  return size - validation;
}

std::u32string symbols_of(const TextOptions& options) {
  std::u32string symbols;
  if (options.unknown_symbol || options.min_frequency > 1) symbols += kUnknownSymbol;
  if (options.padding_symbol) symbols += kPaddingSymbol;
  if (options.records != Records::none) symbols += {kBeginSymbol, kEndSymbol};
  return symbols;
}

Vocabulary vocabulary_of(const Parts& train, const Parts& validation, const TextOptions& options) {
  std::u32string symbols = symbols_of(options);
  if (options.alphabet == Alphabet::printable) return Vocabulary(symbols + std::u32string(kPrintable));
  Parts counted = train;
  if (!symbols.starts_with(kUnknownSymbol)) counted.insert(counted.end(), validation.begin(), validation.end());
  return Vocabulary::of_parts(counted, std::move(symbols), options.min_frequency);
}

void encode_records(const Parts& parts, const Vocabulary& vocabulary, std::vector<std::int32_t>& tokens,
                    std::vector<std::size_t>& ends) {
  for (const std::u32string_view part : parts) {
    const std::string name = "record " + std::to_string(ends.size() + 1);
    const std::vector<std::int32_t> encoded = vocabulary.encode(part, Unknown::error, name);
    tokens.push_back(vocabulary.token(kBeginSymbol));
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    tokens.push_back(vocabulary.token(kEndSymbol));
    ends.push_back(tokens.size());
  }
}

// 1. the characters that count: the first ones, in lower case
// 2. training and validation
// 3. the alphabet, unless it is given
// 4. tokens
Corpus corpus_of(std::u32string_view text, const TextOptions& options, std::optional<Vocabulary> given) {
  std::string hash = hash_of(text);
  if (options.first_characters > 0) text = text.substr(0, static_cast<std::size_t>(options.first_characters));
  const std::u32string lowered = options.lowercase ? lowercase(text) : std::u32string();
  if (options.lowercase) text = lowered;

  Parts train;
  Parts validation;
  std::vector<std::u32string> records;
  if (options.records == Records::none) {
    const std::size_t split = training_size(text.size(), options);
    train.push_back(text.substr(0, split));
    if (split < text.size()) validation.push_back(text.substr(split));
  } else {
    records = split_records(text, options);
    const auto middle = records.begin() + static_cast<std::ptrdiff_t>(training_size(records.size(), options));
    train.assign(records.begin(), middle);
    validation.assign(middle, records.end());
  }

  Corpus corpus{
      given ? std::move(*given) : vocabulary_of(train, validation, options), {}, {}, std::move(hash), options};
  if (options.records == Records::none) {
    // As a whole, so that an error names the place in the text.
    corpus.train = corpus.vocabulary.encode(text, Unknown::error, "the text");
    const auto split = corpus.train.begin() + static_cast<std::ptrdiff_t>(train.front().size());
    corpus.validation.assign(split, corpus.train.end());
    corpus.train.resize(train.front().size());
  } else {
    encode_records(train, corpus.vocabulary, corpus.train, corpus.train_ends);
    encode_records(validation, corpus.vocabulary, corpus.validation, corpus.validation_ends);
  }
  return corpus;
}

}  // namespace

Corpus Corpus::from_text(std::u32string_view text, const TextOptions& options) {
  return corpus_of(text, options, std::nullopt);
}

Corpus Corpus::from_text(std::u32string_view text, const TextOptions& options, Vocabulary vocabulary) {
  return corpus_of(text, options, std::move(vocabulary));
}

std::size_t split_point(std::size_t size, double validation_fraction) {
  if (!(validation_fraction >= 0 && validation_fraction < 1)) {
    throw InputError("expected a validation fraction of at least 0 and less than 1, found " +
                     std::to_string(validation_fraction));
  }
  return static_cast<std::size_t>(static_cast<double>(size) * (1 - validation_fraction));
}

}  // namespace rune::text
