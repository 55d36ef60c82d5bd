#include "text/text_hash.h"

#include <array>
#include <cstddef>

#define XXH_INLINE_ALL  // no library to link to
#include <xxhash.h>

#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr char32_t kBytes = 0xDC00;  // low surrogates, which no text has

}  // namespace

struct TextHash::State {
  XXH3_state_t hash;
};

TextHash::TextHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->hash); }
TextHash::~TextHash() = default;

void TextHash::add(std::string_view text) {
  std::array<unsigned char, 16384> buffer;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode_at(text, at);
    const bool valid = next.wrong == nullptr;
    const char32_t c = valid ? next.character : kBytes + static_cast<unsigned char>(text[at]);
    for (int shift = 0; shift < 32; shift += 8) buffer[used++] = static_cast<unsigned char>(c >> shift);
    at += valid ? next.length : 1;
    if (used == buffer.size()) {
      XXH3_128bits_update(&state_->hash, buffer.data(), used);
      used = 0;
    }
  }
  XXH3_128bits_update(&state_->hash, buffer.data(), used);
}

std::string TextHash::digest() const {
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&state_->hash));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hash;
  for (const unsigned char byte : digest.digest) hash += {kDigits[byte >> 4], kDigits[byte & 0xF]};
  return hash;
}

}  // namespace rune::text
