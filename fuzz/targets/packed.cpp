// A packed text, with the digest and the checksum that a small model's would have: what it unpacks to. And the same
// bytes as a text, which must come back.
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "generate/compression.h"
#include "target.h"

namespace {

using namespace rune;

constexpr std::size_t kDigestAt = 8;
constexpr std::size_t kChecksumSize = 8;
constexpr std::uint64_t kLongest = 4096;  // bytes: a header may well ask for an hour of work

/// Its texts in lower case, with symbols: all that stands beside tokens occurs.
const model::Model& small_model() {
  static const model::Model model = [] {
    std::vector<std::string> entries{"\n", "a", "b", "é", "f", "i", "<unk>"};
    const auto size = static_cast<int>(entries.size());
    const ModelOptions options{.cell = Cell::gru, .layers = 1, .hidden_size = 2};
    TextForm form{.lowercase = true, .normalize = Normalization::nfkc};
    return model::Model{text::Vocabulary(rune::Vocabulary{.entries = std::move(entries), .form = std::move(form)}),
                        model::Network(options, size, model::Parameters::initialized(options, size, 1))};
  }();
  return model;
}

/// The same without <unk>: what it does not know stands before tokens.
const model::Model& model_without_unknown() {
  static const model::Model model =
      model::new_model({.layers = 1, .hidden_size = 2}, text::Vocabulary(U"\nab"), /*seed=*/1);
  return model;
}

void unpack(const model::Model& model, std::string packed) {
  if (packed.size() < kDigestAt + 16 + kChecksumSize) return;
  const std::string digest = model::digest(model);
  for (std::size_t i = 0; i < 16; ++i)
    packed[kDigestAt + i] = static_cast<char>(std::stoi(digest.substr(2 * i, 2), nullptr, 16));
  packed.resize(packed.size() - kChecksumSize);
  const std::uint64_t checksum = hash64(packed);
  for (std::size_t i = 0; i < kChecksumSize; ++i) packed += static_cast<char>(checksum >> 8 * i & 0xFF);
  fuzz::accepts(packed.size(), /*multiple=*/64, /*fixed=*/32 << 20, [&] {
    const generate::PackedText header = generate::read_packed(packed, "fuzz");
    if (header.bytes > kLongest || header.tokens > kLongest) return;
    fuzz::require(generate::decompress(model, packed, "fuzz", 1).size() == header.bytes);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::as_text(data, size);
  for (const model::Model* model : {&small_model(), &model_without_unknown()}) {
    fuzz::accepts(size, 64, 32 << 20, [&] { static_cast<void>(generate::read_packed(input, "fuzz")); });
    unpack(*model, std::string(input));
    const std::string text = std::string(size % 4 == 0 ? 0 : 200, 'a') + std::string(input);  // or else it is stored
    const std::string packed = generate::compress(*model, text, {.streams = static_cast<int>(size % 5), .threads = 1});
    fuzz::require(generate::decompress(*model, packed, "fuzz", 1) == text);
  }
  return 0;
}
