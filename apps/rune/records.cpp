#include "records.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "generate/generator.h"
#include "text/duplicates.h"
#include "train/run_directory.h"

namespace rune::app {

namespace fs = std::filesystem;

KnownRecords known_records(const fs::path& model, const text::Vocabulary& vocabulary) {
  const fs::path folder = model.parent_path();
  if (!fs::exists(folder / "config.toml")) return std::nullopt;
  const train::RunConfig config = train::RunDirectory::open(folder).read_config();
  if (!std::ranges::all_of(config.texts, [](const fs::path& text) { return fs::exists(text); })) return std::nullopt;
  return text::training_records(
      text::Corpus::read({config.texts, config.validation_texts}, config.text, vocabulary, text::Unknown::skip));
}

void write_records(const model::Model& model, std::span<const std::int32_t> prompt, const RecordRequest& request,
                   const KnownRecords& known,
                   const std::function<void(const std::string& record, bool copy)>& on_record) {
  constexpr int kMostAtOnce = 256;
  constexpr std::uint64_t kTries = 100;  // for each record that is wanted
  const std::string begin = model.vocabulary.decode(prompt);
  int written = 0;
  for (std::uint64_t first = 0; written < request.count;) {
    if (first >= kTries * static_cast<std::uint64_t>(request.count)) {
      throw InputError(
          fmt::format("expected {} records that are not in the training set, found {} among {}; try a "
                      "higher --temperature or another --prompt",
                      request.count, written, first));
    }
    const int count = std::min(request.count - written, kMostAtOnce);
    std::vector<std::string> records(static_cast<std::size_t>(count), begin);
    generate::generate(
        model, prompt, request.length, count, request.options,
        [&](int sample, const std::string& piece) {
          records[static_cast<std::size_t>(sample)] += piece;
          return true;
        },
        first);
    first += static_cast<std::uint64_t>(count);
    for (const std::string& record : records) {
      const bool copy = known && known->contains(record);
      if (copy && request.novel) continue;
      on_record(record, copy);
      ++written;
    }
  }
}

}  // namespace rune::app
