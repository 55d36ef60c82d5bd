// Records of a text: lines, fields of CSV, parts between separators. The first bytes choose the options.
#include "text/records.h"

#include "target.h"
#include "text/corpus.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  constexpr std::size_t kOptions = 4;
  if (size < kOptions) return 0;
  TextOptions options;
  constexpr Records kKinds[]{Records::lines, Records::csv, Records::separator};
  options.records = kKinds[data[0] % 3];
  options.column = data[1] % 4;
  options.max_length = data[2] % 16;
  options.first_record = data[3] % 4;
  options.max_records = data[3] / 64;
  fuzz::accepts(size, /*multiple=*/256, /*fixed=*/1 << 20, [&] {
    const auto text = text::decode_text(fuzz::as_text(data + kOptions, size - kOptions), "fuzz");
    const auto records = text::split_records(text, options);
    std::size_t characters = 0;
    for (const std::u32string& record : records) {
      fuzz::require(!record.empty());
      fuzz::require(options.max_length == 0 || record.size() <= static_cast<std::size_t>(options.max_length));
      characters += record.size();
    }
    fuzz::require(characters <= text.size());
    fuzz::require(options.max_records == 0 || records.size() <= static_cast<std::size_t>(options.max_records));
  });
  return 0;
}
