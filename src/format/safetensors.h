#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

/// The safetensors file format: an 8-byte little-endian header length, a JSON header, raw little-endian data.
/// Knows names, shapes and bytes; knows no model.
namespace rune::format {

enum class DType { f32, f64, i64, u8, f16, bf16 };

/// One named array. `data` is borrowed: when writing from the caller, when reading from the SafetensorsFile.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  // empty: a scalar
  std::span<const std::byte> data;  // row-major, in the machine's byte order; size = product(shape) * element size

  /// The elements as T (float for f32, double for f64, std::int64_t for i64, std::uint8_t for u8); `data` must be
  /// aligned for T, as all data of a SafetensorsFile is. Throws InputError if the dtype differs.
  template <class T>
  [[nodiscard]] std::span<const T> as() const;
};

/// Borrowing helpers for writing.
TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const float> values);
TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const double> values);
TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const std::int64_t> values);

using Metadata = std::map<std::string, std::string>;

/// The key in `__metadata__` of a file's checksum: XXH3-128 over all bytes of the file, its own 32 digits being blanks.
inline constexpr const char* kChecksumKey = "rune.checksum";

/// Writes the tensors in the order given, without holes and from an 8-byte boundary on, with a checksum, atomically: in
/// the order of falling element sizes all of them are aligned. The file that is replaced stays as `older`, unless that
/// is empty. Throws InputError, before it writes, if names are not unique or a tensor's shape does not fit its data;
/// FileError.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors, const Metadata& metadata,
                       const std::filesystem::path& older = {});

/// Whether a file must have the checksum that write_safetensors gives it. Files of other programs have none.
enum class Checksum { required, ignored };

/// A safetensors file read into memory and fully checked: header length within the file, valid UTF-8 JSON without
/// duplicate keys, known dtypes, at most 8 dimensions, sizes without overflow, offsets that cover the data exactly,
/// without holes, overlaps or trailing bytes; then the checksum. Anything else throws InputError naming the file, the
/// tensor and the byte.
/// Never allocates more than a small multiple of the file's size. Movable (views stay valid), immutable, thread-safe.
class SafetensorsFile {
 public:
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  static SafetensorsFile read(const std::filesystem::path& path, Checksum checksum = Checksum::required);
  /// The same from memory, which need not stay; `name` is used in messages.
  static SafetensorsFile parse(std::string_view bytes, const std::string& name, Checksum checksum = Checksum::required);

  [[nodiscard]] const std::vector<TensorView>& tensors() const { return tensors_; }  // in file order
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }               // without the checksum
  [[nodiscard]] const std::string& name() const { return name_; }
  /// nullptr if there is none of that name.
  [[nodiscard]] const TensorView* find(std::string_view name) const;
  /// Throws InputError if there is none, or if dtype or shape differ from what is expected.
  [[nodiscard]] const TensorView& get(std::string_view name, DType dtype, std::span<const std::int64_t> shape) const;
  /// Throws InputError naming the key if it is absent.
  [[nodiscard]] const std::string& meta(const std::string& key) const;

 private:
  SafetensorsFile() = default;
  static SafetensorsFile parse(FileContent content, const std::string& name, Checksum checksum);
  void align(std::size_t words);

  std::string name_;
  FileContent content_;
  std::vector<std::uint64_t> aligned_;  // the tensors' data, where they are not aligned in content_
  std::vector<TensorView> tensors_;
  Metadata metadata_;
};

}  // namespace rune::format
