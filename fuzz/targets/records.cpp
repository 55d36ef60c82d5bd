// Records of a text: lines, fields of CSV, TSV and JSON Lines, parts between separators. The first bytes choose the
// options.
#include "text/records.h"

#include <string>
#include <utility>
#include <vector>

#include "target.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  constexpr std::size_t kOptions = 4;
  if (size < kOptions) return 0;
  constexpr Records kKinds[]{Records::lines, Records::csv,        Records::separator, Records::tsv,
                             Records::jsonl, Records::paragraphs, Records::files};
  TextOptions options;
  options.form.records = kKinds[data[0] % std::size(kKinds)];
  options.form.column = data[1] % 4;
  if ((data[1] & 0x80) != 0 || options.form.records == Records::jsonl) options.form.field = "a";
  options.max_length = data[2] % 16;
  options.first_record = data[3] % 4;
  options.max_records = data[3] / 64;
  const auto text = fuzz::as_text(data + kOptions, size - kOptions);
  const std::size_t piece = 1 + data[1] % 32;
  fuzz::accepts(size, /*multiple=*/256, /*fixed=*/1 << 20, [&] {
    std::vector<std::string> records;
    text::RecordFilter filter(options);
    text::RecordReader reader(options.form, "fuzz");
    const auto visit = [&](const std::string& record) {
      if (auto kept = filter.keep(record)) records.push_back(std::move(*kept));
    };
    for (std::size_t at = 0; at < text.size(); at += piece) reader.add(text.substr(at, piece), visit);
    reader.finish(visit);
    filter.begin_again();  // refuses where none was kept
    std::size_t bytes = 0;
    for (const std::string& record : records) {
      fuzz::require(!record.empty());
      fuzz::require(options.max_length == 0 ||
                    text::count_characters(record) <= static_cast<std::size_t>(options.max_length));
      bytes += record.size();
    }
    fuzz::require(bytes <= text.size());
    fuzz::require(options.max_records == 0 || records.size() <= static_cast<std::size_t>(options.max_records));
  });
  return 0;
}
