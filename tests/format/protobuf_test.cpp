#include "format/protobuf.h"

#include <gtest/gtest.h>

namespace rune::format {
namespace {

// The examples of the format's own description.
TEST(ProtobufMessage, WritesTheWireFormat) {
  EXPECT_EQ(ProtobufMessage().add(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(ProtobufMessage().add(2, "testing").bytes(), "\x12\x07testing");
  EXPECT_EQ(ProtobufMessage().add(3, ProtobufMessage().add(1, 150)).bytes(), "\x1a\x03\x08\x96\x01");
  EXPECT_EQ(ProtobufMessage().add(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(ProtobufMessage().add(16, 0).bytes(), std::string("\x80\x01\x00", 3));
}

}  // namespace
}  // namespace rune::format
