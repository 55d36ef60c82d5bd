#include "safetensors_mutator.h"

#include <algorithm>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include "target.h"

namespace rune::fuzz {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLengthSize = 8;
constexpr std::size_t kMostData = 1 << 16;

std::string encoded_length(std::size_t length) {
  std::string bytes;
  for (std::size_t i = 0; i < kLengthSize; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

std::size_t element_size(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F16" || dtype == "BF16") return 2;
  return dtype == "U8" ? 1 : 4;
}

// Lays the tensors out one after the other, as long as their shapes say.
void repair(std::string& header, std::string& data) {
  Json json = Json::parse(header, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  std::size_t end = 0;
  for (auto& [name, entry] : json.items()) {
    if (name == "__metadata__" || !entry.is_object() || !entry.contains("shape") || !entry["shape"].is_array())
      continue;
    std::size_t size = entry.contains("dtype") && entry["dtype"].is_string() ? element_size(entry["dtype"]) : 4;
    for (const Json& dimension : entry["shape"]) {
      if (!dimension.is_number_unsigned()) return;
      size *= std::min<std::size_t>(dimension.get<std::size_t>(), kMostData);
      if (size > kMostData) return;
    }
    entry["data_offsets"] = {end, end + size};
    end += size;
    if (end > kMostData) return;
  }
  data.resize(end, '\0');
  header = json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const std::string file(as_text(data, size));
  std::size_t length = 0;
  for (std::size_t i = kLengthSize; i-- > 0 && size >= kLengthSize;) length = length << 8 | data[i];
  if (size < kLengthSize || length > size - kLengthSize || random() % 8 == 0)
    return LLVMFuzzerMutate(data, size, max_size);

  std::string header = file.substr(kLengthSize, length);
  std::string values = file.substr(kLengthSize + length);
  std::string& part = random() % 4 == 0 ? values : header;
  part = mutated(part, part.size() + std::min<std::size_t>(max_size - size, 64));
  if (random() % 2 == 0) repair(header, values);
  return put(encoded_length(header.size()) + header + values, data, max_size);
}

}  // namespace rune::fuzz
