#include "text/corpus_cache.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/mapping.h"
#include "text/form.h"
#include "text/source.h"

namespace rune::text {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kVersion = 1;  // of the file's format, and of what decides tokens beside the options

/// All that decides the tokens, as a hash.
class Key {
 public:
  void add(std::string_view bytes) {
    add(bytes.size());
    hash_.update(bytes);
  }
  void add(std::uint64_t number) { hash_.update({reinterpret_cast<const char*>(&number), sizeof number}); }

  [[nodiscard]] std::string digits() const { return hash_.digits(); }

 private:
  Hash hash_;
};

void add_form(Key& key, const TextForm& form) {
  for (const auto value :
       {static_cast<int>(form.unit), static_cast<int>(form.lowercase), static_cast<int>(form.fold_case),
        static_cast<int>(form.normalize), static_cast<int>(form.raw), static_cast<int>(form.documents),
        static_cast<int>(form.records), form.column}) {
    key.add(static_cast<std::uint64_t>(value));
  }
  key.add(form.separator);
  key.add(form.field);
}

void add_options(Key& key, const TextOptions& options) {
  add_form(key, options.form);
  key.add(options.encoding);
  key.add(options.skip_records);
  for (const std::int64_t value :
       {static_cast<std::int64_t>(options.on_invalid), options.first_characters,
        static_cast<std::int64_t>(options.alphabet), options.min_frequency, options.max_vocabulary,
        static_cast<std::int64_t>(options.unknown_symbol), static_cast<std::int64_t>(options.padding_symbol),
        options.first_record, options.max_records, static_cast<std::int64_t>(options.max_length),
        static_cast<std::int64_t>(options.validation_split), options.validation_characters.value_or(-1)}) {
    key.add(static_cast<std::uint64_t>(value));
  }
  key.add(std::to_string(options.coverage) + ' ' + std::to_string(options.validation_fraction));
}

std::string key_of(const Sources& sources, const TextOptions& options, const std::optional<Vocabulary>& vocabulary) {
  Key key;
  key.add(kVersion);
  add_options(key, options);
  if (vocabulary) {
    add_form(key, vocabulary->form());
    for (const std::string& entry : vocabulary->content().entries) key.add(entry);
  }
  for (const auto& paths : {sources.texts, sources.validation}) {
    key.add(paths.size());
    if (paths.empty()) continue;
    for_documents(paths, options.include, [&](const Document& document) {
      key.add(document.name);
      key.add(document.bytes);
    });
  }
  return key.digits();
}

void to_json(Json& json, const Reading& reading) {
  json = {reading.name,
          reading.encoding.name,
          reading.encoding.confidence,
          reading.bytes,
          reading.characters,
          reading.invalid,
          reading.first_invalid,
          reading.lf,
          reading.crlf,
          reading.cr,
          reading.nel};
}

Reading reading_from(const Json& json) {
  Reading reading{.name = json.at(0), .encoding = {.name = json.at(1), .confidence = json.at(2)}};
  std::size_t at = 3;
  for (std::int64_t* value : {&reading.bytes, &reading.characters, &reading.invalid, &reading.first_invalid,
                              &reading.lf, &reading.crlf, &reading.cr, &reading.nel}) {
    *value = json.at(at++);
  }
  return reading;
}

std::string checksum_of(std::string_view bytes) {
  const std::uint64_t sum = hash64(bytes);
  return {reinterpret_cast<const char*>(&sum), sizeof sum};
}

/// The bytes in front of their checksum; nothing where it is not theirs.
std::optional<std::string> checked(std::string bytes) {
  const std::size_t size = bytes.size() - std::min(bytes.size(), sizeof(std::uint64_t));
  const std::string sum = bytes.substr(size);
  bytes.resize(size);
  return checksum_of(bytes) == sum ? std::optional(std::move(bytes)) : std::nullopt;
}

/// What a corpus is beside its tokens, and what these must be.
std::string description_of(const Corpus& corpus, std::uint64_t tokens) {
  Json json;
  json["entries"] = corpus.vocabulary.content().entries;
  json["hash"] = corpus.hash;
  json["train"] = corpus.train.size();
  json["validation"] = corpus.validation.size();
  json["train_ends"] = corpus.train_ends;
  json["validation_ends"] = corpus.validation_ends;
  json["unknown"] = {corpus.unknown.distinct, corpus.unknown.occurrences, corpus.unknown.most_frequent};
  for (const Reading& reading : corpus.readings) to_json(json["readings"].emplace_back(), reading);
  json["checksum"] = tokens;
  const std::vector<std::uint8_t> bytes = Json::to_msgpack(json);  // whose texts may be any bytes
  std::string description(bytes.begin(), bytes.end());
  return description + checksum_of(description);
}

/// Nothing where a file is missing or damaged.
std::optional<Corpus> stored(const fs::path& tokens, const fs::path& description, const TextOptions& options,
                             const std::optional<Vocabulary>& vocabulary) {
  if (!fs::exists(tokens) || !fs::exists(description)) return std::nullopt;
  try {
    const std::optional<std::string> bytes_of_json = checked(read_file(description));
    if (!bytes_of_json) return std::nullopt;
    const Json json = Json::from_msgpack(*bytes_of_json);
    const auto mapping = std::make_shared<Mapping>(Mapping::open(tokens));
    const std::string_view bytes = mapping->bytes();
    const Tokens all({reinterpret_cast<const std::int32_t*>(bytes.data()), bytes.size() / sizeof(std::int32_t)},
                     mapping);
    const std::size_t train = json.at("train");
    const std::size_t validation = json.at("validation");
    if (all.size() != train + validation || json.at("checksum") != hash_of(all)) return std::nullopt;
    Corpus corpus{.vocabulary = vocabulary ? *vocabulary : Vocabulary({json.at("entries"), options.form}),
                  .train = all.part(0, train),
                  .validation = all.part(train, validation),
                  .hash = json.at("hash"),
                  .options = options,
                  .train_ends = json.at("train_ends"),
                  .validation_ends = json.at("validation_ends"),
                  .unknown = {json.at("unknown").at(0), json.at("unknown").at(1), json.at("unknown").at(2)},
                  .in_memory = false};
    if (vocabulary) corpus.options.form = form_like(vocabulary->form(), options.form);
    for (const Json& reading : json.at("readings")) corpus.readings.push_back(reading_from(reading));
    return corpus;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

/// Removes what processes left that did not come to an end: tokens, and the temporaries of descriptions.
void remove_unfinished(const fs::path& directory) {
  remove_temporary_files(directory, Writers::others);
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".part") continue;
    std::error_code ignored;
    if (has_ended(entry.path().stem().extension().string().substr(1))) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

fs::path cache_directory() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  const fs::path cache = variable("XDG_CACHE_HOME");
  return (cache.empty() ? variable("HOME") / ".cache" : cache) / "rune";
}

// 1. the file that would hold this corpus, if it is there and whole
// 2. else the corpus, encoded into a file of this process
// 3. which gets its name when all of it is on the disk, its description last
Corpus read_by_cache(const Sources& sources, const TextOptions& options, std::optional<Vocabulary> vocabulary,
                     const fs::path& directory, const std::function<void(double)>& on_progress) {
  const std::string key = key_of(sources, options, vocabulary);
  const fs::path tokens = directory / (key + ".tokens");
  const fs::path description = directory / (key + ".corpus");
  if (auto corpus = stored(tokens, description, options, vocabulary)) return std::move(*corpus);

  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw FileError("could not create the cache '" + directory.string() + "': " + error.message());
  remove_unfinished(directory);
  const fs::path part = directory / (key + "." + std::to_string(::getpid()) + ".part");
  try {
    Corpus corpus = Corpus::read(sources, options, std::move(vocabulary), Unknown::error,
                                 {.token_file = part, .on_progress = on_progress});
    const std::size_t size = corpus.train.size() + corpus.validation.size();
    const std::span<const std::int32_t> all(corpus.train.data(), size);
    const std::string described = description_of(corpus, hash_of(all));
    ::msync(const_cast<std::int32_t*>(corpus.train.data()), all.size_bytes(), MS_SYNC);
    fs::rename(part, tokens);
    write_file_atomically(description, described);
    return corpus;
  } catch (...) {
    fs::remove(part, error);
    throw;
  }
}

}  // namespace rune::text
