#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Files as torch.save writes them, made by hand: so that a test can make what torch.save never would.
namespace rune::test {

inline std::string little_endian(std::uint64_t number, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

/// Operations of a pickle of protocol 2, without header and end.
namespace pickle {

inline std::string text(std::string_view value) { return 'X' + little_endian(value.size(), 4) + std::string(value); }
inline std::string integer(std::uint32_t value) { return 'J' + little_endian(value, 4); }
inline std::string global(const std::string& module, const std::string& name) {
  return 'c' + module + '\n' + name + '\n';
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string operations = "(";
  for (const std::string& item : items) operations += item;
  return operations + 't';
}
inline std::string dictionary(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string operations = "}(";
  for (const auto& [key, value] : entries) operations += text(key) + value;
  return operations + 'u';
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + 'R';
}
inline std::string whole(const std::string& operations) { return "\x80\x02" + operations + '.'; }

/// A contiguous tensor of two dimensions in a storage; `last` is an item that the older format has.
inline std::string tensor(const std::string& key, std::uint32_t rows, std::uint32_t columns,
                          const std::string& type = "FloatStorage", const std::string& last = "") {
  std::vector<std::string> id{text("storage"), global("torch", type), text(key), text("cpu"), integer(rows * columns)};
  if (!last.empty()) id.push_back(last);
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {tuple(id) + 'Q', integer(0), tuple({integer(rows), integer(columns)}),
               tuple({integer(columns), integer(1)}), "\x89", call(global("collections", "OrderedDict"), {})});
}

}  // namespace pickle

/// The older format: storages by key, with the number of their elements and their bytes.
struct OlderStorage {
  std::string key;
  std::uint64_t elements = 0;
  std::string bytes{};
};
inline std::string older_torch_file(const std::string& object, const std::vector<OlderStorage>& storages) {
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  std::string keys = "](";
  std::string data;
  for (const OlderStorage& storage : storages) {
    keys += pickle::text(storage.key);
    data += little_endian(storage.elements, 8) + storage.bytes;
  }
  return pickle::whole(magic) + pickle::whole(pickle::integer(1001)) + pickle::whole("}") + pickle::whole(object) +
         pickle::whole(keys + 'e') + data;
}

}  // namespace rune::test
