#include <rune/corpus.h>

#include <utility>

#include "api/corpus_parts.h"

namespace rune {

Corpus Corpus::open(const std::filesystem::path& path, const CorpusOptions& options) {
  return open(std::vector<std::filesystem::path>{path}, options);
}

Corpus Corpus::open(const std::vector<std::filesystem::path>& paths, const CorpusOptions& options) {
  return Corpus(std::make_shared<const Parts>(Parts{text::Corpus::read({paths}, options)}));
}

Corpus Corpus::from_text(std::string_view utf8, const CorpusOptions& options) {
  return Corpus(std::make_shared<const Parts>(Parts{text::Corpus::from_text(utf8, options)}));
}

const Vocabulary& Corpus::vocabulary() const { return parts_->corpus.vocabulary.content(); }

std::int64_t Corpus::size() const { return std::ssize(parts_->corpus.train) + validation_size(); }

std::int64_t Corpus::validation_size() const { return std::ssize(parts_->corpus.validation); }

}  // namespace rune
