#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "format/array.h"

namespace rune::format {

/// What torch.save wrote, in its zip format or in the older one that PyTorch wrote before 1.6, as plain data: nested
/// dictionaries are flattened, their keys joined by slashes (state_dict/lstm.weight_ih_l0), and what is neither an
/// array of floats, an integer nor a list of characters is left out. Nothing in the file is executed, and whatever
/// torch.save needs for more than dictionaries, lists, numbers, texts and tensors is refused by name. Takes at most a
/// small multiple of the file's size. Movable (views stay valid), immutable, thread-safe.
class TorchFile {
 public:
  TorchFile(TorchFile&&) = default;
  TorchFile& operator=(TorchFile&&) = default;
  TorchFile(const TorchFile&) = delete;
  TorchFile& operator=(const TorchFile&) = delete;

  /// Whether a file begins as one of the two formats does.
  static bool recognizes(std::string_view bytes);
  /// `name` is used in messages. Throws InputError.
  static TorchFile parse(std::string_view bytes, const std::string& name);

  [[nodiscard]] const std::vector<ArrayView>& arrays() const { return arrays_; }
  [[nodiscard]] const std::map<std::string, std::int64_t>& integers() const { return integers_; }
  /// Lists and tuples of short texts, such as an alphabet.
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& lists() const { return lists_; }

 private:
  friend class TorchReader;
  TorchFile() = default;

  std::map<std::string, std::string> storages_;  // bytes, by key
  std::vector<ArrayView> arrays_;
  std::map<std::string, std::int64_t> integers_;
  std::map<std::string, std::vector<std::string>> lists_;
};

}  // namespace rune::format
