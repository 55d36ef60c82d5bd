#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rune/options.h>

#include "text/decoder.h"
#include "text/tokens.h"
#include "text/vocabulary.h"

namespace rune::text {

/// Where the text of a corpus lies: paths as for_documents takes them.
struct Sources {
  std::vector<std::filesystem::path> texts;
  std::vector<std::filesystem::path> validation{};  // instead of a part of the texts
};

/// Where tokens are kept, and who is told of the reading.
struct ReadingPlan {
  std::filesystem::path token_file{};         // empty: in memory
  std::function<void(double)> on_progress{};  // the share that has been read; may be empty
};

/// What of a text became <unk>, or was left out.
struct UnknownUnits {
  std::int64_t distinct = 0;
  std::int64_t occurrences = 0;
  std::vector<std::pair<std::string, std::int64_t>> most_frequent{};  // at most ten, with their occurrences
};

/// A text as tokens, split into training and validation.
struct Corpus {
  Vocabulary vocabulary;
  Tokens train{};
  Tokens validation{};  // empty without validation, and where windows of `train` are split instead
  std::string hash{};   // TextHash of the whole text as it was decoded
  TextOptions options{};
  // Of records, each <BOS> ... <EOS>: where they end in the tokens. Empty for a running text.
  std::vector<std::size_t> train_ends{};
  std::vector<std::size_t> validation_ends{};
  std::vector<Reading> readings{};  // of its files
  UnknownUnits unknown{};
  bool in_memory = true;  // its tokens; else they are read from a file

  /// Reads and encodes a text. The alphabet, unless it is given, is made of it as the options say: symbols first
  /// (<unk>, <pad>, <BOS>, <EOS>), then units, sorted by their bytes. Where there is a <unk>, units are counted in
  /// the training part alone. A given alphabet decides the unit as well; what it does not know is an error, unless it
  /// has <unk> or `unknown` says to skip it. Throws FileError or InputError (file and byte offset); no text is an
  /// InputError.
  static Corpus read(const Sources& sources, const TextOptions& options,
                     std::optional<Vocabulary> vocabulary = std::nullopt, Unknown unknown = Unknown::error,
                     const ReadingPlan& plan = {});
  /// The same of a text in memory.
  static Corpus from_text(std::string_view bytes, const TextOptions& options,
                          std::optional<Vocabulary> vocabulary = std::nullopt, Unknown unknown = Unknown::error);

  [[nodiscard]] std::int64_t size() const { return std::ssize(train) + std::ssize(validation); }
  /// Bytes of memory that the tokens take; 0 where they are read from a file.
  [[nodiscard]] std::int64_t memory() const {
    return in_memory ? size() * static_cast<std::int64_t>(sizeof(std::int32_t)) : 0;
  }
};

/// Whether windows are dealt to the two parts, not stretches of text.
inline bool splits_windows(const TextOptions& options) {
  return options.validation_split == ValidationSplit::random_windows ||
         options.validation_split == ValidationSplit::last_windows;
}

/// Number of training characters, as the notebooks cut: int(size * (1 - fraction)) in double arithmetic.
/// 1,985,223 characters at 0.1 give 1,786,700.
std::size_t split_point(std::size_t size, double validation_fraction);

}  // namespace rune::text
