#include "format/protobuf.h"

namespace rune::format {
namespace {

// How a field's content is encoded stands in the lowest three bits of its key.
constexpr unsigned kVarint = 0;
constexpr unsigned kLengthDelimited = 2;

constexpr std::uint64_t key(int field, unsigned wire_type) {
  return static_cast<std::uint64_t>(field) << 3 | wire_type;
}

}  // namespace

ProtobufMessage& ProtobufMessage::add(int field, std::int64_t value) {
  add_varint(key(field, kVarint));
  add_varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtobufMessage& ProtobufMessage::add(int field, std::string_view bytes) {
  add_varint(key(field, kLengthDelimited));
  add_varint(bytes.size());
  bytes_ += bytes;
  return *this;
}

void ProtobufMessage::add_varint(std::uint64_t value) {
  constexpr std::uint64_t kMore = 0x80;
  for (; value >= kMore; value >>= 7) bytes_ += static_cast<char>(value | kMore);
  bytes_ += static_cast<char>(value);
}

}  // namespace rune::format
