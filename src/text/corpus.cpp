#include "text/corpus.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <rune/error.h>
#define XXH_INLINE_ALL  // no library to link to
#include <xxhash.h>

#include "base/file.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr char32_t kByteOrderMark = 0xFEFF;

std::string hash_of(std::u32string_view text) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  constexpr std::size_t kChunk = 4096;
  std::array<unsigned char, 4 * kChunk> bytes;
  for (; !text.empty(); text.remove_prefix(std::min(kChunk, text.size()))) {
    const std::u32string_view chunk = text.substr(0, kChunk);
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      for (std::size_t k = 0; k < 4; ++k) bytes[4 * i + k] = static_cast<unsigned char>(chunk[i] >> (8 * k));
    }
    XXH3_128bits_update(&state, bytes.data(), 4 * chunk.size());
  }
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&state));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hash;
  for (const unsigned char byte : digest.digest) hash += {kDigits[byte >> 4], kDigits[byte & 0xF]};
  return hash;
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

Corpus Corpus::from_text(std::u32string_view text, double validation_fraction) {
  return from_text(text, validation_fraction, Vocabulary::of_text(text));
}

Corpus Corpus::from_text(std::u32string_view text, double validation_fraction, Vocabulary vocabulary) {
  const std::size_t split = split_point(text.size(), validation_fraction);
  std::vector<std::int32_t> train = vocabulary.encode(text, Unknown::error, "the text");
  std::vector<std::int32_t> validation(train.begin() + static_cast<std::ptrdiff_t>(split), train.end());
  train.resize(split);
  return {std::move(vocabulary), std::move(train), std::move(validation), hash_of(text)};
}

std::size_t split_point(std::size_t size, double validation_fraction) {
  if (!(validation_fraction >= 0 && validation_fraction < 1)) {
    throw InputError("expected a validation fraction of at least 0 and less than 1, found " +
                     std::to_string(validation_fraction));
  }
  return static_cast<std::size_t>(static_cast<double>(size) * (1 - validation_fraction));
}

}  // namespace rune::text
