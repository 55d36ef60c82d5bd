// Text: bytes to characters, in any encoding, to units to tokens and back. The first bytes choose the options.
#include "target.h"
#include "text/corpus.h"
#include "text/decoder.h"
#include "text/form.h"
#include "text/segmenter.h"
#include "text/suspicions.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  constexpr std::size_t kOptions = 3;
  if (size < kOptions) return 0;
  constexpr const char* kEncodings[]{"auto",   "UTF-8",   "UTF-16",    "UTF-16LE", "UTF-32BE",    "windows-1252",
                                     "latin1", "GB18030", "Shift_JIS", "EUC-KR",   "ISO-2022-JP", "UTF-7"};
  constexpr Unit kUnits[]{Unit::character, Unit::grapheme, Unit::byte, Unit::word};
  constexpr OnInvalid kOnInvalid[]{OnInvalid::error, OnInvalid::replace, OnInvalid::bytes};
  constexpr Normalization kForms[]{Normalization::none, Normalization::nfc, Normalization::nfkc};
  TextOptions options{.encoding = kEncodings[data[0] % std::size(kEncodings)], .validation_fraction = 0};
  options.on_invalid = kOnInvalid[data[1] % 3];
  options.form.raw = (data[1] & 0x80) != 0;
  options.form.unit = kUnits[data[2] % 4];
  options.form.normalize = kForms[data[2] / 4 % 3];
  options.form.lowercase = (data[2] & 0x40) != 0;
  options.form.fold_case = (data[2] & 0x80) != 0;
  const auto bytes = fuzz::as_text(data + kOptions, size - kOptions);
  // Characters are numbered in a table of Unicode's basic plane; ICU reads its tables.
  fuzz::accepts(size, /*multiple=*/1024, /*fixed=*/64 << 20, [&] {
    const std::string text = text::decode(bytes, "fuzz", options);
    if (options.on_invalid != OnInvalid::bytes) fuzz::require(text::replace_invalid(text) == text);
    if (options.encoding == "UTF-8" && options.on_invalid == OnInvalid::bytes && options.form.raw) {
      fuzz::require(bytes.ends_with(text) && bytes.size() - text.size() <= 3);  // a byte order mark is dropped
    }
    static_cast<void>(text::escape_controls(bytes));
    static_cast<void>(text::find_suspicions(text));
    const std::string treated = text::treated(text, options.form);
    std::string joined;
    text::Segmenter(options.form.unit).for_each(treated, [&](std::string_view unit) {
      fuzz::require(!unit.empty());
      joined += unit;
    });
    fuzz::require(joined == treated);
    const auto corpus = text::Corpus::from_text(bytes, options);
    fuzz::require(corpus.vocabulary.decode({corpus.train.data(), corpus.train.size()}) == treated);
  });
  return 0;
}
