#include "format/safetensors.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rune/error.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace rune::format {
namespace {

namespace fs = std::filesystem;

/// A file's path, removed at the end.
class TemporaryPath {
 public:
  TemporaryPath() : path_((fs::temp_directory_path() / "rune-safetensors-XXXXXX").string()) {
    ::close(mkstemp(path_.data()));
  }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;
  ~TemporaryPath() { fs::remove(path_); }
  [[nodiscard]] const std::string& get() const { return path_; }

 private:
  std::string path_;
};

/// A file with this header and as many bytes of data, byte i being i.
std::string file_of(const std::string& header, std::size_t data_size) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i));
  bytes += header;
  for (std::size_t i = 0; i < data_size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string error_of(const std::string& bytes, Checksum checksum = Checksum::ignored) {
  try {
    SafetensorsFile::parse(bytes, "some file", checksum);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

void expect_error(const std::string& bytes, const std::string& part) {
  const std::string error = error_of(bytes);
  EXPECT_NE(error.find("'some file'"), std::string::npos) << error;
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

const std::vector<float> kFloats{1.5f, -2.0f, 3.25f};
const std::vector<double> kDoubles{0.1, -1e300};
const std::vector<std::int64_t> kIntegers{-1, std::int64_t{1} << 62};

std::vector<TensorView> some_tensors() {
  return {tensor_view("floats", {3, 1}, kFloats), tensor_view("doubles", {2}, kDoubles),
          tensor_view("nothing", {0, 7}, std::span<const float>()),
          tensor_view("scalar", {}, std::span(kFloats).first(1)), tensor_view("integers", {1, 2}, kIntegers)};
}

std::string some_file() {
  const TemporaryPath path;
  write_safetensors(path.get(), some_tensors(), {{"alphabet", "aé\n\""}, {"empty", ""}});
  return read_file(path.get());
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  const TemporaryPath path;
  const Metadata metadata{{"alphabet", "aé\n\""}, {"empty", ""}};
  const std::vector<TensorView> written = some_tensors();
  write_safetensors(path.get(), written, metadata);
  SafetensorsFile original = SafetensorsFile::read(path.get());
  const SafetensorsFile file = std::move(original);

  EXPECT_EQ(file.name(), path.get());
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(file.meta("alphabet"), "aé\n\"");
  ASSERT_EQ(file.tensors().size(), written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    const TensorView& read = file.tensors()[i];
    EXPECT_EQ(read.name, written[i].name);
    EXPECT_EQ(read.dtype, written[i].dtype);
    EXPECT_EQ(read.shape, written[i].shape);
    EXPECT_TRUE(std::ranges::equal(read.data, written[i].data));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data.data()) % 8, 0u) << read.name << ": aligned for all";
  }
  EXPECT_EQ(file.find("doubles")->as<double>()[1], -1e300);
  EXPECT_EQ(file.find("integers")->as<std::int64_t>()[1], std::int64_t{1} << 62);
  EXPECT_EQ(file.find("missing"), nullptr);
}

TEST(Safetensors, WhatIsAlignedInTheFileIsReadWhereItLies) {
  const TemporaryPath path;
  const std::vector<TensorView> written{tensor_view("doubles", {2}, kDoubles), tensor_view("floats", {3}, kFloats),
                                        tensor_view("scalar", {}, std::span(kFloats).first(1))};
  write_safetensors(path.get(), written, {});
  SafetensorsFile original = SafetensorsFile::read(path.get());
  const SafetensorsFile file = std::move(original);
  for (const TensorView& tensor : written) {
    const TensorView& read = *file.find(tensor.name);
    EXPECT_TRUE(std::ranges::equal(read.data, tensor.data)) << tensor.name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data.data()) % (read.dtype == DType::f64 ? 8 : 4), 0u);
  }
  EXPECT_EQ(file.find("floats")->data.data() + 12, file.find("scalar")->data.data()) << "side by side, as in the file";
}

TEST(Safetensors, BytesAreThoseOfTheFormat) {
  const TemporaryPath path;
  const std::vector<float> values{1.0f};
  write_safetensors(path.get(), std::array{tensor_view("x", {1}, values)}, {{"a", "b"}});
  const std::string blank(32, ' ');
  const std::string header = R"({"__metadata__":{"a":"b","rune.checksum":")" + blank +
                             R"("},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  std::string expected = file_of(header + padding, 0);
  expected += std::string("\x00\x00\x80\x3f", 4);
  Hash hash;
  hash.update(expected);
  expected.replace(expected.find(blank), 32, hash.digits());
  EXPECT_EQ(read_file(path.get()), expected);
}

TEST(Safetensors, AFileWithoutAChecksumIsForImport) {
  const std::string bytes = file_of(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
  EXPECT_EQ(error_of(bytes), "no error");
  EXPECT_EQ(
      error_of(bytes, Checksum::required),
      "'some file' has no checksum (metadata \"rune.checksum\"), so rune did not write it as it is; make a model of "
      "it with: rune import 'some file' -o MODEL.safetensors");
}

TEST(Safetensors, EverySingleBitCounts) {
  std::string bytes = some_file();
  ASSERT_EQ(error_of(bytes, Checksum::required), "no error");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      EXPECT_NE(error_of(bytes, Checksum::required), "no error") << "byte " << i << ", bit " << bit;
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
    }
  }
}

TEST(Safetensors, EveryCutAndEveryAdditionIsRefused) {
  const std::string whole = some_file();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error_of(whole.substr(0, size), Checksum::required), "no error") << size;
  }
  EXPECT_NE(error_of(whole + '\0', Checksum::required), "no error");
}

TEST(Safetensors, AChecksumInAnotherFormIsRefused) {
  const std::string written = some_file();
  const auto edited = [&](const std::string& from, const std::string& to) {
    std::string bytes = written;
    bytes.replace(bytes.find(from), from.size(), to);
    return error_of(bytes, Checksum::required);
  };
  const std::string digit = written.substr(written.find("rune.checksum\":\"") + 16, 1);
  // The header's spare blank goes, so that its length stays.
  EXPECT_NE(edited("rune.checksum\":\"" + digit, "rune.checksum\": \"").find("damaged"), std::string::npos);
  EXPECT_NE(edited("\"alphabet\"", "\"alphabeT\"").find("damaged"), std::string::npos);
}

TEST(Safetensors, DataIsLittleEndian) {
  const std::string header = R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("i":{"dtype":"I64","shape":[],"data_offsets":[1,9]}})";
  const auto file = SafetensorsFile::parse(file_of(header, 9), "some file", Checksum::ignored);
  EXPECT_EQ(file.find("b")->as<std::uint8_t>()[0], 0);
  EXPECT_EQ(file.find("i")->as<std::int64_t>()[0], 0x0807060504030201);  // and not aligned in the file
}

TEST(Safetensors, TensorsComeInTheOrderOfTheirData) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},)"
                             R"("b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}  )";
  const auto file = SafetensorsFile::parse(file_of(header, 5), "some file", Checksum::ignored);
  EXPECT_EQ(file.tensors()[0].name, "b");
  EXPECT_EQ(file.tensors()[1].name, "a");
  EXPECT_EQ(file.tensors()[1].as<std::uint8_t>()[0], 3);
}

TEST(Safetensors, ExpectationsAreChecked) {
  const SafetensorsFile file = SafetensorsFile::parse(some_file(), "some file");
  EXPECT_EQ(file.get("floats", DType::f32, std::array<std::int64_t, 2>{3, 1}).as<float>()[2], 3.25f);
  const auto message = [&](auto call) -> std::string {
    try {
      call();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] {
              (void)file.get("floats", DType::f32, std::array<std::int64_t, 2>{1, 3});
            }),
            "'some file': tensor \"floats\": expected F32 with shape [1, 3], found F32 with shape [3, 1]");
  EXPECT_EQ(message([&] {
              (void)file.get("floats", DType::f64, std::array<std::int64_t, 2>{3, 1});
            }),
            "'some file': tensor \"floats\": expected F64 with shape [3, 1], found F32 with shape [3, 1]");
  EXPECT_EQ(message([&] { (void)file.get("x", DType::f32, {}); }),
            "'some file': tensor \"x\": expected F32 with shape [], found none");
  EXPECT_EQ(message([&] { (void)file.meta("step"); }), "'some file': expected metadata \"step\", found none");
  EXPECT_EQ(message([&] { (void)file.find("floats")->as<double>(); }), "tensor \"floats\": expected F64, found F32");
}

TEST(Safetensors, WhatCannotBeReadBackIsNotWritten) {
  const TemporaryPath path;
  write_file_atomically(path.get(), "old");
  const auto x = tensor_view("x", {3}, kFloats);
  const auto refused = [&](const std::vector<TensorView>& tensors, const Metadata& metadata = {}) {
    EXPECT_THROW(write_safetensors(path.get(), tensors, metadata), InputError);
  };
  refused({x, x});
  refused({tensor_view("__metadata__", {3}, kFloats)});
  refused({tensor_view("x", {4}, kFloats)});
  refused({tensor_view("x", {-3}, kFloats)});
  refused({tensor_view("x", {1, 1, 1, 1, 1, 1, 1, 1, 3}, kFloats)});
  refused({tensor_view("\xff", {3}, kFloats)});
  refused({x}, {{"a", "\xff"}});
  EXPECT_EQ(read_file(path.get()), "old");
}

TEST(Safetensors, HeaderLengthsAreChecked) {
  expect_error("", "expected at least 8 bytes, found 0");
  expect_error(std::string(7, '\0'), "found 7");
  expect_error(std::string(8, '\0'), "expected '{' at byte 8");
  expect_error(std::string(8, '\xff') + "{}", "a header of 18446744073709551615 bytes, the file has 10");
  expect_error(std::string("\x03\0\0\0\0\0\0\0{}", 10), "a header of 3 bytes");
  std::string large = file_of("{" + std::string(100'000'000, ' ') + "}", 0);
  expect_error(large, "the limit is 100000000");
}

TEST(Safetensors, HeadersMustBeJson) {
  EXPECT_EQ(error_of(file_of("{}", 0)), "no error");
  expect_error(file_of("[]", 0), "expected '{' at byte 8");
  expect_error(file_of("\xef\xbb\xbf{}", 0), "expected '{' at byte 8");
  expect_error(file_of("{} {}", 0), "not valid JSON at byte 11");
  expect_error(file_of(R"({"a)", 0), "not valid JSON");
  expect_error(file_of("{\"\xff\":{}}", 0), "not valid JSON at byte 10");
  expect_error(file_of(std::string("{}\0 ", 4), 0), "NUL in the header at byte 10");
  expect_error(file_of(R"({"a":{"dtype":"U8","shape":[1e999],"data_offsets":[0,1]}})", 1), "a number");
}

TEST(Safetensors, HeadersMustHaveTheFormatsStructure) {
  const std::string x = R"("dtype":"U8","shape":[1],"data_offsets":[0,1])";
  EXPECT_EQ(error_of(file_of("{\"x\":{" + x + "}}", 1)), "no error");
  expect_error(file_of("{\"x\":{" + x + "},\"x\":{" + x + "}}", 1), R"(key "x" occurs twice)");
  expect_error(file_of("{\"x\":{\"dtype\":\"U8\"," + x + "}}", 1), R"(key "dtype" occurs twice)");
  expect_error(file_of("{\"x\":{\"more\":1," + x + "}}", 1), R"(tensor "x": expected dtype, shape and data_offsets)");
  expect_error(file_of(R"({"x":1})", 0), R"(tensor "x": expected an object)");
  expect_error(file_of(R"({"x":[]})", 0), "structure");
  expect_error(file_of(R"({"x":{"dtype":{}}})", 0), "structure");
  expect_error(file_of("{\"x\":{\"shape\":" + std::string(100000, '['), 0), "structure");
  expect_error(file_of(R"({"x":{"shape":[1],"data_offsets":[0,1]}})", 1), "expected dtype, found none");
  expect_error(file_of(R"({"x":{"dtype":1,"shape":[1],"data_offsets":[0,1]}})", 1), "another kind of value for dtype");
  expect_error(file_of(R"({"x":{"dtype":"F8","shape":[1],"data_offsets":[0,2]}})", 2), R"(found "F8")");
  expect_error(file_of(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1),
               "expected two data_offsets, found 1");
  expect_error(file_of(R"({"x":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1), "8 dimensions");
  expect_error(file_of(R"({"\u001b[2J":{"dtype":"F8","shape":[],"data_offsets":[0,2]}})", 2), R"("\u001b[2J")");
  expect_error(file_of(R"({"__metadata__":{"a":1}})", 0), R"(expected a string for metadata "a")");
  expect_error(file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0), R"(key "a" occurs twice)");
  for (const char* dimension : {"-1", "1.0", "9223372036854775808", "true", "null", "\"1\""}) {
    expect_error(file_of(std::string(R"({"x":{"dtype":"U8","shape":[)") + dimension + R"(],"data_offsets":[0,1]}})", 1),
                 "expected integers from 0 on");
  }
}

TEST(Safetensors, OffsetsMustCoverTheDataExactly) {
  const auto file = [](const std::string& first, const std::string& second, std::size_t data_size) {
    return file_of(R"({"a":{"dtype":"U8","shape":)" + first + R"(},"b":{"dtype":"U8","shape":)" + second + "}}",
                   data_size);
  };
  EXPECT_EQ(error_of(file(R"([2],"data_offsets":[0,2])", R"([1],"data_offsets":[2,3])", 3)), "no error");
  expect_error(file(R"([2],"data_offsets":[0,2])", R"([1],"data_offsets":[3,4])", 4), "after a hole");
  expect_error(file(R"([2],"data_offsets":[0,2])", R"([2],"data_offsets":[1,3])", 3), "inside another tensor");
  expect_error(file(R"([2],"data_offsets":[0,2])", R"([0],"data_offsets":[1,1])", 2), "inside another tensor");
  expect_error(file(R"([2],"data_offsets":[0,2])", R"([1],"data_offsets":[2,3])", 4), "the tensors end at byte");
  expect_error(file(R"([2],"data_offsets":[0,2])", R"([1],"data_offsets":[2,3])", 2), "not within the 2 bytes of data");
  expect_error(file(R"([2],"data_offsets":[2,0])", R"([1],"data_offsets":[2,3])", 3), "not within");
  expect_error(file(R"([2],"data_offsets":[0,1])", R"([1],"data_offsets":[1,2])", 2), "do not fit the size");
  expect_error(file(R"([4294967296,4294967296],"data_offsets":[0,0])", R"([1],"data_offsets":[0,1])", 1), "do not fit");
  expect_error(file_of("{}", 1), "the tensors end at byte 10, the file at byte 11");
}

RC_GTEST_PROP(Safetensors, DamagedFilesAreReadOrRefused, ()) {
  static const std::string intact = some_file();
  std::string bytes = intact;
  const auto changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    const auto position = *rc::gen::inRange<std::size_t>(0, bytes.size());
    if (*rc::gen::arbitrary<bool>()) {
      bytes[position] = *rc::gen::arbitrary<char>();
    } else {
      bytes.erase(position, *rc::gen::inRange<std::size_t>(1, 20));
    }
    if (bytes.empty()) break;
  }
  try {
    const SafetensorsFile file = SafetensorsFile::parse(bytes, "damaged", Checksum::ignored);
    std::size_t size = 0;
    for (const TensorView& tensor : file.tensors()) size += tensor.data.size();
    RC_ASSERT(size <= bytes.size());
  } catch (const InputError&) {}
}

}  // namespace
}  // namespace rune::format
