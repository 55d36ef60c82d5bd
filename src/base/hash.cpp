#include "base/hash.h"

#define XXH_INLINE_ALL  // no library to link to
#include <xxhash.h>

namespace rune {

struct Hash::State {
  XXH3_state_t value;
};

Hash::Hash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->value); }
Hash::~Hash() = default;

void Hash::update(std::string_view bytes) { XXH3_128bits_update(&state_->value, bytes.data(), bytes.size()); }

std::string Hash::digits() const {
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&state_->value));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const unsigned char byte : digest.digest) digits += {kDigits[byte >> 4], kDigits[byte & 0xF]};
  return digits;
}

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace rune
