// Text: UTF-8 to characters to tokens and back.
#include "target.h"
#include "text/corpus.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  const auto bytes = fuzz::as_text(data, size);
  // Characters are counted in a table of all of Unicode, and numbered in another.
  fuzz::accepts(size, /*multiple=*/256, /*fixed=*/32 << 20, [&] {
    fuzz::require(text::encode_utf8(text::decode_utf8(bytes, "fuzz")) == bytes);
    const auto characters = text::decode_text(bytes, "fuzz");
    static_cast<void>(text::lowercase(characters));
    static_cast<void>(text::escape_controls(bytes));
    const auto vocabulary = text::Vocabulary::of_text(characters);
    const auto tokens = vocabulary.encode(characters, text::Unknown::error, "fuzz");
    fuzz::require(vocabulary.decode(tokens) == text::encode_utf8(characters));
  });
  return 0;
}
