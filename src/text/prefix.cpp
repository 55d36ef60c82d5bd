#include "text/prefix.h"

#include "text/utf8.h"

namespace rune::text {
namespace {

bool is_high(char byte) { return static_cast<unsigned char>(byte) >= 0x80; }

}  // namespace

std::size_t ascii_prefix(std::string_view bytes) { return length_before(bytes, is_high); }

std::size_t valid_prefix(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (!is_high(bytes[at])) {
      at += ascii_prefix(bytes.substr(at));
      continue;
    }
    const Decoded next = decode_long(bytes, at);
    if (next.wrong != nullptr) break;
    at += next.length;
  }
  return at;
}

}  // namespace rune::text
