#include "format/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/matrix.h"
#include "format/little_endian.h"
#include "format/quote.h"

namespace rune::format {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthSize = 8;               // the header's length, at the start of the file
constexpr std::size_t kMaxHeaderSize = 100'000'000;  // as the reference implementation has it
constexpr std::size_t kMaxDimensions = 8;
constexpr std::size_t kAlignment = sizeof(std::uint64_t);
constexpr const char* kMetadataKey = "__metadata__";
constexpr std::string_view kBlankChecksum = "                                ";  // as many as there are digits

struct ElementType {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr std::array kElementTypes{ElementType{DType::f32, "F32", 4}, ElementType{DType::f64, "F64", 8},
                                   ElementType{DType::i64, "I64", 8}, ElementType{DType::u8, "U8", 1},
                                   ElementType{DType::f16, "F16", 2}, ElementType{DType::bf16, "BF16", 2}};

const ElementType& element_type(DType dtype) {
  return *std::find_if(kElementTypes.begin(), kElementTypes.end(),
                       [&](const auto& type) { return type.dtype == dtype; });
}

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u8;
}

std::string to_string(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t dimension : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dimension);
  return text + "]";
}

/// Bytes of a tensor; nothing if a dimension is negative, or there are too many, or they overflow.
std::optional<std::size_t> byte_size(DType dtype, std::span<const std::int64_t> shape) {
  std::size_t size = element_type(dtype).size;
  if (shape.size() > kMaxDimensions) return std::nullopt;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 || __builtin_mul_overflow(size, static_cast<std::size_t>(dimension), &size)) return std::nullopt;
  }
  return size;
}

/// Copies elements between the machine's byte order and the file's, which is little-endian.
void copy_elements(std::byte* to, std::span<const std::byte> from, std::size_t element_size) {
  if (from.empty()) return;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, from.data(), from.size());
  } else {
    for (std::size_t i = 0; i < from.size(); i += element_size) {
      std::reverse_copy(&from[i], &from[i] + element_size, to + i);
    }
  }
}

std::string encode_length(std::uint64_t length) {
  std::string bytes;
  for (std::size_t i = 0; i < kLengthSize; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

/// Where the digits of the checksum stand; npos: not in the form that write_safetensors gives them.
std::size_t checksum_place(std::string_view header) {
  const std::string before = std::string("\"") + kChecksumKey + "\":\"";
  const std::size_t found = header.find(before);
  return found == header.npos ? found : found + before.size();
}

/// Throws InputError unless the digits are the hash of all bytes, they themselves being blanks.
void verify_checksum(std::string_view bytes, std::size_t header_end, const Metadata& metadata,
                     const std::string& name) {
  const auto found = metadata.find(kChecksumKey);
  if (found == metadata.end()) {
    throw InputError("'" + name + "' has no checksum (metadata \"" + kChecksumKey +
                     "\"), so rune did not write it as it is; make a model of it with: rune import '" + name +
                     "' -o MODEL.safetensors");
  }
  const std::size_t place = checksum_place(bytes.substr(0, header_end));
  const std::size_t size = kBlankChecksum.size();
  if (place == bytes.npos || bytes.substr(place, size) != found->second) {
    throw InputError("'" + name + "' is damaged: its checksum is not 32 digits as rune writes them");
  }
  Hash hash;
  hash.update(bytes.substr(0, place));
  hash.update(kBlankChecksum);
  hash.update(bytes.substr(place + size));
  if (const std::string expected = hash.digits(); expected != found->second) {
    throw InputError("'" + name + "' is damaged: expected the checksum " + expected + ", found " + found->second +
                     "; take another copy of it (of a file that another program changed, rune import makes a model)");
  }
}

template <class T>
TensorView view_of(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
  return {std::move(name), dtype_of<T>(), std::move(shape), std::as_bytes(values)};
}

/// What the header says of one tensor.
struct Entry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;  // in the data section
  std::size_t end = 0;
};

/// Reads the header. Every entry is checked and taken out as soon as it is complete, so that a hostile header is
/// refused before it has taken much memory.
class HeaderReader {
 public:
  HeaderReader(std::string_view header, std::size_t data_size, const std::string& file)
      : data_size_(data_size), file_(file) {
    // The JSON parser takes NUL for the end and skips a byte order mark; the format allows neither.
    if (header.empty() || header[0] != '{') fail("expected '{' at byte " + std::to_string(kLengthSize));
    if (const auto nul = header.find('\0'); nul != header.npos) {
      fail("found a NUL in the header at byte " + std::to_string(kLengthSize + nul));
    }
    try {
      const auto rest = json::parse(
          header, [this](int depth, json::parse_event_t event, json& value) { return on_event(depth, event, value); });
    } catch (const json::parse_error& error) {
      fail("the header is not valid JSON at byte " + std::to_string(kLengthSize + error.byte - 1));
    } catch (const json::exception&) {
      fail("the header holds a number that no file can need");
    }
  }

  std::vector<Entry> entries;  // in header order
  Metadata metadata;

 private:
  using Event = json::parse_event_t;

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError("'" + file_ + "' is not a safetensors file that can be read: " + what);
  }
  [[noreturn]] void fail_tensor(const std::string& what) const { fail("tensor " + quote(name_) + ": " + what); }

  // Depth 1 is inside the header's object, 2 inside a tensor's, 3 inside a shape or the offsets.
  // Returns whether the parser is to keep the value.
  bool on_event(int depth, Event event, json& value) {
    if (event == Event::key) {
      auto key = value.get<std::string>();
      if (!keys_[depth - 1].insert(key).second) fail("key " + quote(key) + " occurs twice in the header");
      if (depth == 1) name_ = std::move(key);
    } else if (event == Event::object_start || event == Event::array_start) {
      const bool is_object = event == Event::object_start;
      if (depth > 2 || is_object != (depth < 2)) {
        fail_tensor("the header's structure is not that of a safetensors file");
      }
      if (depth == 1) keys_[1].clear();
      numbers_ = 0;
    } else if (event == Event::object_end && depth == 1) {
      if (name_ == kMetadataKey) {
        read_metadata(value);
      } else {
        read_entry(value);
      }
      return false;
    } else if (event == Event::value) {
      if (depth < 2) fail_tensor("expected an object");
      if (depth == 3 && ++numbers_ > kMaxDimensions) {
        fail_tensor("expected at most " + std::to_string(kMaxDimensions) + " dimensions");
      }
    }
    return true;
  }

  void read_metadata(const json& object) {
    for (const auto& [key, value] : object.items()) {
      if (!value.is_string()) fail("expected a string for metadata " + quote(key));
      metadata.emplace(key, value.get<std::string>());
    }
  }

  void read_entry(const json& object) {
    Entry entry;
    entry.name = name_;
    const std::string dtype = member(object, "dtype", json::value_t::string).get<std::string>();
    const auto type = std::find_if(kElementTypes.begin(), kElementTypes.end(),
                                   [&](const auto& known) { return dtype == known.name; });
    if (type == kElementTypes.end())
      fail_tensor("expected dtype F32, F64, F16, BF16, I64 or U8, found " + quote(dtype));
    entry.dtype = type->dtype;
    for (const json& dimension : member(object, "shape", json::value_t::array)) {
      entry.shape.push_back(integer(dimension));
    }
    const json& offsets = member(object, "data_offsets", json::value_t::array);
    if (offsets.size() != 2) fail_tensor("expected two data_offsets, found " + std::to_string(offsets.size()));
    if (object.size() != 3) fail_tensor("expected dtype, shape and data_offsets, and nothing else");
    entry.begin = static_cast<std::size_t>(integer(offsets[0]));
    entry.end = static_cast<std::size_t>(integer(offsets[1]));

    const std::string range = "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
    if (entry.begin > entry.end || entry.end > data_size_) {
      fail_tensor(range + " are not within the " + std::to_string(data_size_) + " bytes of data");
    }
    if (byte_size(entry.dtype, entry.shape) != entry.end - entry.begin) {
      fail_tensor(range + " do not fit the size of " + dtype + " with shape " + to_string(entry.shape));
    }
    entries.push_back(std::move(entry));
  }

  const json& member(const json& object, const char* key, json::value_t type) const {
    const auto found = object.find(key);
    if (found == object.end()) fail_tensor("expected " + std::string(key) + ", found none");
    if (found->type() != type) fail_tensor("expected another kind of value for " + std::string(key));
    return *found;
  }

  std::int64_t integer(const json& value) const {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMax) {
      fail_tensor("expected integers from 0 on in shape and data_offsets");
    }
    return value.get<std::int64_t>();
  }

  std::size_t data_size_;
  const std::string& file_;
  std::array<std::set<std::string>, 2> keys_;  // of the header's object, of the current tensor's
  std::string name_;                           // of the current tensor
  std::size_t numbers_ = 0;                    // in the current array
};

}  // namespace

template <class T>
std::span<const T> TensorView::as() const {
  if (dtype != dtype_of<T>()) {
    throw InputError("tensor " + quote(name) + ": expected " + element_type(dtype_of<T>()).name + ", found " +
                     element_type(dtype).name);
  }
  return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
}
template std::span<const float> TensorView::as() const;
template std::span<const double> TensorView::as() const;
template std::span<const std::int64_t> TensorView::as() const;
template std::span<const std::uint8_t> TensorView::as() const;

TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const float> values) {
  return view_of(std::move(name), std::move(shape), values);
}
TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const double> values) {
  return view_of(std::move(name), std::move(shape), values);
}
TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const std::int64_t> values) {
  return view_of(std::move(name), std::move(shape), values);
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors, const Metadata& metadata,
                       const std::filesystem::path& older) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  header[kMetadataKey] = metadata;
  header[kMetadataKey][kChecksumKey] = kBlankChecksum;
  std::set<std::string_view> names{kMetadataKey};
  std::size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    const auto fail = [&](const std::string& what) {
      throw InputError("cannot write tensor " + quote(tensor.name) + " to '" + path.string() + "': " + what);
    };
    if (!names.insert(tensor.name).second) fail("the name is taken");
    if (byte_size(tensor.dtype, tensor.shape) != tensor.data.size()) {
      fail("shape " + to_string(tensor.shape) + " does not fit " + std::to_string(tensor.data.size()) +
           " bytes of data");
    }
    header[tensor.name] = {{"dtype", element_type(tensor.dtype).name},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    throw InputError("cannot write '" + path.string() + "': expected UTF-8 in names and metadata");
  }
  text.resize(round_up(text.size(), kAlignment), ' ');
  text.insert(0, encode_length(text.size()));

  std::vector<std::string_view> parts{text};
  std::vector<std::vector<std::byte>> copies;  // only where the machine's byte order is not the file's
  for (const TensorView& tensor : tensors) {
    const std::byte* bytes = tensor.data.data();
    if constexpr (std::endian::native != std::endian::little) {
      copies.emplace_back(tensor.data.size());
      copy_elements(copies.back().data(), tensor.data, element_type(tensor.dtype).size);
      bytes = copies.back().data();
    }
    parts.emplace_back(reinterpret_cast<const char*>(bytes), tensor.data.size());
  }
  Hash hash;
  for (const std::string_view part : parts) hash.update(part);
  text.replace(checksum_place(text), kBlankChecksum.size(), hash.digits());
  write_file_atomically(path, parts, older);
}

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path, Checksum checksum) {
  return parse(FileContent::read(path), path.string(), checksum);
}

SafetensorsFile SafetensorsFile::parse(std::string_view bytes, const std::string& name, Checksum checksum) {
  return parse(FileContent(bytes), name, checksum);
}

SafetensorsFile SafetensorsFile::parse(FileContent content, const std::string& name, Checksum checksum) {
  const std::string_view bytes = content.bytes();
  const auto fail = [&](const std::string& what) {
    throw InputError("'" + name + "' is not a safetensors file that can be read: " + what);
  };
  if (bytes.size() < kLengthSize) fail("expected at least 8 bytes, found " + std::to_string(bytes.size()));
  const std::uint64_t header_size = from_little_endian(bytes.substr(0, kLengthSize));
  if (header_size > std::min(bytes.size() - kLengthSize, kMaxHeaderSize)) {
    fail("its first 8 bytes announce a header of " + std::to_string(header_size) + " bytes, the file has " +
         std::to_string(bytes.size()) + " and the limit is " + std::to_string(kMaxHeaderSize));
  }
  const std::size_t data_begin = kLengthSize + header_size;
  const auto data = std::as_bytes(std::span(bytes.substr(data_begin)));

  HeaderReader header(bytes.substr(kLengthSize, header_size), data.size(), name);
  std::vector<Entry>& entries = header.entries;
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t covered = 0;
  std::size_t words = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      fail("tensor " + quote(entry.name) + " starts at byte " + std::to_string(data_begin + entry.begin) +
           (entry.begin > covered ? ", after a hole" : ", inside another tensor") + "; expected byte " +
           std::to_string(data_begin + covered));
    }
    covered = entry.end;
    words += round_up(entry.end - entry.begin, kAlignment) / kAlignment;
  }
  if (covered != data.size()) {
    fail("the tensors end at byte " + std::to_string(data_begin + covered) + ", the file at byte " +
         std::to_string(bytes.size()));
  }
  if (checksum == Checksum::required) verify_checksum(bytes, data_begin, header.metadata, name);
  header.metadata.erase(kChecksumKey);

  SafetensorsFile file;
  file.name_ = name;
  file.metadata_ = std::move(header.metadata);
  file.content_ = std::move(content);
  file.tensors_.reserve(entries.size());
  bool as_it_is = std::endian::native == std::endian::little;
  for (Entry& entry : entries) {
    as_it_is &= (data_begin + entry.begin) % element_type(entry.dtype).size == 0;
    file.tensors_.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                             data.subspan(entry.begin, entry.end - entry.begin)});
  }
  if (!as_it_is) file.align(words);
  return file;
}

void SafetensorsFile::align(std::size_t words) {
  aligned_.resize(words);
  auto* to = reinterpret_cast<std::byte*>(aligned_.data());
  for (TensorView& tensor : tensors_) {
    copy_elements(to, tensor.data, element_type(tensor.dtype).size);
    tensor.data = {to, tensor.data.size()};
    to += round_up(tensor.data.size(), kAlignment);
  }
  content_ = {};
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const auto& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

const TensorView& SafetensorsFile::get(std::string_view name, DType dtype, std::span<const std::int64_t> shape) const {
  const auto describe = [](DType type, std::span<const std::int64_t> dimensions) {
    return element_type(type).name + (" with shape " + to_string(dimensions));
  };
  const TensorView* tensor = find(name);
  if (tensor != nullptr && tensor->dtype == dtype && std::ranges::equal(tensor->shape, shape)) return *tensor;
  throw InputError("'" + name_ + "': tensor " + quote(name) + ": expected " + describe(dtype, shape) + ", found " +
                   (tensor == nullptr ? "none" : describe(tensor->dtype, tensor->shape)));
}

const std::string& SafetensorsFile::meta(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) throw InputError("'" + name_ + "': expected metadata " + quote(key) + ", found none");
  return found->second;
}

}  // namespace rune::format
