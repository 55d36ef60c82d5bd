#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rune::format {

/// Writes one message of Protocol Buffers' wire format; fields appear in the order in which they are added. Value type.
class ProtobufMessage {
 public:
  /// A field of type int32, int64, bool or an enumeration.
  ProtobufMessage& add(int field, std::int64_t value);
  /// A field of type string or bytes, or a repeated one's next element.
  ProtobufMessage& add(int field, std::string_view bytes);
  ProtobufMessage& add(int field, const ProtobufMessage& message) { return add(field, message.bytes()); }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void add_varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace rune::format
