#include "format/torch_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "format/little_endian.h"
#include "format/pickle.h"
#include "format/quote.h"
#include "format/zip.h"

namespace rune::format {
namespace {

struct StorageType {
  std::string_view name;
  std::size_t element_size;
  std::optional<DType> dtype;  // nothing: no floats, so no weights
};
constexpr std::array kStorageTypes{
    StorageType{"torch.FloatStorage", 4, DType::f32},   StorageType{"torch.DoubleStorage", 8, DType::f64},
    StorageType{"torch.HalfStorage", 2, DType::f16},    StorageType{"torch.BFloat16Storage", 2, DType::bf16},
    StorageType{"torch.LongStorage", 8, std::nullopt},  StorageType{"torch.IntStorage", 4, std::nullopt},
    StorageType{"torch.ShortStorage", 2, std::nullopt}, StorageType{"torch.CharStorage", 1, std::nullopt},
    StorageType{"torch.ByteStorage", 1, std::nullopt},  StorageType{"torch.BoolStorage", 1, std::nullopt},
};

constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor";
constexpr std::string_view kRebuildTensor2 = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

// Everything that may be named in a file, besides collections.OrderedDict.
constexpr auto kGlobals = [] {
  std::array<std::string_view, kStorageTypes.size() + 3> names{kRebuildTensor, kRebuildTensor2, kRebuildParameter};
  std::ranges::transform(kStorageTypes, names.begin() + 3, &StorageType::name);
  return names;
}();

// The older format starts with this number, as a pickle of its own: 0x1950a86a20f9469cfc6c.
constexpr std::string_view kMagicNumber("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t kOlderFormatVersion = 1001;

constexpr std::size_t kMaxDepth = 16;          // of dictionaries in each other
constexpr std::size_t kMaxNameSize = 256;      // bytes, of the keys that lead to a value
constexpr std::size_t kMaxCharacterSize = 32;  // bytes: a character, or the name of a symbol
constexpr std::size_t kCountSize = 8;          // bytes of the number of elements before a storage in the older format

}  // namespace

/// Reads either format into a TorchFile.
class TorchReader {
 public:
  TorchReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  TorchFile read() {
    if (is_zip(bytes_)) {
      read_zip_format();
    } else {
      read_older_format();
    }
    return std::move(file_);
  }

 private:
  using Value = Pickle::Value;

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("'{}' is not a PyTorch checkpoint that can be read: {}", name_, what));
  }

  // NAME/data.pkl, and NAME/data/KEY for each storage.
  void read_zip_format() {
    constexpr std::string_view kPickle = "/data.pkl";
    auto entries = read_zip(bytes_, name_);
    const auto pickle =
        std::ranges::find_if(entries, [&](const auto& entry) { return entry.first.ends_with(kPickle); });
    if (pickle == entries.end()) fail("it is a zip archive without data.pkl");
    const std::string folder = pickle->first.substr(0, pickle->first.size() - kPickle.size());
    if (entries.contains(folder + "/constants.pkl")) {
      fail("it is a program (TorchScript); save the model's state_dict() with torch.save instead");
    }
    if (const auto order = entries.find(folder + "/byteorder"); order != entries.end() && order->second == "big") {
      byte_order_ = std::endian::big;
    }
    const std::string data = folder + "/data/";
    for (auto& [path, content] : entries) {
      if (path.starts_with(data)) file_.storages_.emplace(path.substr(data.size()), std::move(content));
    }
    flatten(Pickle::parse(pickle->second, kGlobals, name_).root(), "", 0);
  }

  // Five pickles: the magic number, the version, the system, the object, the keys of the storages; then the storages,
  // each a number of elements and its bytes, in the order of the keys.
  void read_older_format() {
    const Pickle magic = next_pickle();
    if (expect<Pickle::BigInteger>(magic.root(), "PyTorch's magic number").bytes != kMagicNumber) {
      fail("expected PyTorch's magic number");
    }
    const Pickle version = next_pickle();
    if (expect<std::int64_t>(version.root(), "the version of the older format") != kOlderFormatVersion) {
      fail(fmt::format("expected version {} of the older format", kOlderFormatVersion));
    }
    next_pickle();
    const Pickle object = next_pickle();
    const Pickle keys = next_pickle();
    for (const Value& value : object.values()) {
      if (value.get_if<Pickle::Persistent>() == nullptr) continue;
      const auto [type, key] = storage_of(value);
      storage_types_.emplace(key, type);
    }
    for (const Value* const key : expect<Pickle::Sequence>(keys.root(), "a list of storages").items) {
      read_storage(expect<std::string>(*key, "the name of a storage"));
    }
    if (!bytes_.empty()) fail(fmt::format("{} bytes follow after the last storage", bytes_.size()));
    flatten(object.root(), "", 0);
  }

  Pickle next_pickle() {
    Pickle pickle = Pickle::parse(bytes_, kGlobals, name_);
    bytes_.remove_prefix(pickle.size());
    return pickle;
  }

  void read_storage(const std::string& key) {
    const auto type = storage_types_.find(key);
    if (type == storage_types_.end()) fail(fmt::format("no tensor needs the storage {}", quote(key)));
    if (bytes_.size() < kCountSize) fail(fmt::format("the file ends before the storage {}", quote(key)));
    std::uint64_t size = from_little_endian(bytes_.substr(0, kCountSize));
    bytes_.remove_prefix(kCountSize);
    if (__builtin_mul_overflow(size, type->second->element_size, &size) || size > bytes_.size()) {
      fail(fmt::format("the storage {} is longer than the {} bytes that are left", quote(key), bytes_.size()));
    }
    if (!file_.storages_.emplace(key, bytes_.substr(0, size)).second) {
      fail(fmt::format("the storage {} occurs twice", quote(key)));
    }
    bytes_.remove_prefix(size);
  }

  template <class Kind>
  const Kind& expect(const Value& value, const char* what) const {
    const Kind* const kind = value.get_if<Kind>();
    if (kind == nullptr) fail(fmt::format("expected {}", what));
    return *kind;
  }

  // Each dictionary and list is read once, wherever it occurs: so circles end, and the work has a limit.
  void flatten(const Value& value, const std::string& path, std::size_t depth) {
    if (const auto* const dictionary = value.get_if<Pickle::Dictionary>()) {
      if (!seen_.insert(&value).second) return;
      if (depth == kMaxDepth) fail(fmt::format("dictionaries lie more than {} deep in each other", kMaxDepth));
      for (const auto& [key, item] : dictionary->entries) {
        const auto* const text = key->get_if<std::string>();
        if (text == nullptr) continue;  // the numbers of an optimiser's parameters
        if (path.size() + text->size() >= kMaxNameSize)
          fail(fmt::format("a key is longer than {} bytes", kMaxNameSize));
        flatten(*item, path.empty() ? *text : path + '/' + *text, depth + 1);
      }
    } else if (const auto* const sequence = value.get_if<Pickle::Sequence>()) {
      if (seen_.insert(&value).second) add_list(*sequence, path);
    } else if (const auto* const integer = value.get_if<std::int64_t>()) {
      file_.integers_.emplace(path, *integer);
    } else if (const auto* const call = value.get_if<Pickle::Call>()) {
      add_array(*call, path);
    } else if (depth == 0) {
      fail("expected a dictionary: a state_dict, or one that holds a state_dict");
    }
  }

  void add_list(const Pickle::Sequence& sequence, const std::string& path) {
    std::vector<std::string> list;
    for (const Value* const item : sequence.items) {
      const auto* const text = item->get_if<std::string>();
      if (text == nullptr || text->size() > kMaxCharacterSize) return;
      list.push_back(*text);
    }
    file_.lists_.emplace(path, std::move(list));
  }

  void add_array(const Pickle::Call& call, const std::string& path) {
    const auto& arguments = expect<Pickle::Sequence>(*call.arguments, "arguments").items;
    if (call.function == kRebuildParameter) {  // tensor, requires_grad, hooks
      if (arguments.empty()) fail(fmt::format("the parameter {} has no tensor", quote(path)));
      const auto& tensor = expect<Pickle::Call>(*arguments[0], "a tensor in a parameter");
      if (tensor.function == kRebuildParameter) fail(fmt::format("{} is a parameter of a parameter", quote(path)));
      return add_array(tensor, path);
    }
    // storage, offset, size, stride, and for training alone: requires_grad, hooks
    constexpr std::size_t kNeeded = 4;
    if ((call.function != kRebuildTensor && call.function != kRebuildTensor2) || arguments.size() < kNeeded) {
      fail(fmt::format("expected {} to be a tensor", quote(path)));
    }
    const auto [type, key] = storage_of(*arguments[0]);
    if (!type->dtype) return;
    const auto found = file_.storages_.find(key);
    if (found == file_.storages_.end()) fail(fmt::format("there is no storage {} for {}", quote(key), quote(path)));
    const auto bytes = std::as_bytes(std::span(found->second));
    const std::int64_t offset = expect<std::int64_t>(*arguments[1], "the offset of a tensor");
    std::size_t begin = 0;
    if (offset < 0 || __builtin_mul_overflow(static_cast<std::size_t>(offset), type->element_size, &begin) ||
        begin > bytes.size()) {
      fail(fmt::format("{} starts outside of its storage", quote(path)));
    }
    ArrayView array{
        path, *type->dtype, dimensions(*arguments[2]), dimensions(*arguments[3]), bytes.subspan(begin), byte_order_};
    checked_size(array, name_);
    file_.arrays_.push_back(std::move(array));
  }

  // ('storage', type, key, device, number of elements[, view]); a view is of PyTorch before 0.4.
  std::pair<const StorageType*, std::string> storage_of(const Value& value) const {
    constexpr std::size_t kNeeded = 5;
    const auto& id = expect<Pickle::Sequence>(*expect<Pickle::Persistent>(value, "the storage of a tensor").id,
                                              "the description of a storage")
                         .items;
    if (id.size() < kNeeded || id.size() > kNeeded + 1 ||
        expect<std::string>(*id[0], "the kind of a storage") != "storage") {
      fail("expected the description of a storage");
    }
    if (id.size() > kNeeded) expect<Pickle::None>(*id[kNeeded], "a storage that is no part of another");
    const std::string& name = expect<Pickle::Global>(*id[1], "the type of a storage").name;
    const auto* const type = std::ranges::find(kStorageTypes, name, &StorageType::name);
    if (type == kStorageTypes.end()) fail(fmt::format("{} is not the type of a storage", quote(name)));
    const auto& key = expect<std::string>(*id[2], "the key of a storage");
    if (key.size() > kMaxNameSize) fail(fmt::format("the key of a storage is longer than {} bytes", kMaxNameSize));
    return {type, key};
  }

  std::vector<std::int64_t> dimensions(const Value& value) const {
    const auto& items = expect<Pickle::Sequence>(value, "a tuple of dimensions").items;
    constexpr std::size_t kMaxDimensions = 8;
    if (items.size() > kMaxDimensions) fail(fmt::format("a tensor has more than {} dimensions", kMaxDimensions));
    std::vector<std::int64_t> numbers;
    numbers.reserve(items.size());
    for (const Value* const item : items) numbers.push_back(expect<std::int64_t>(*item, "a dimension"));
    return numbers;
  }

  std::string_view bytes_;  // what is left of them, in the older format
  const std::string& name_;
  TorchFile file_;
  std::endian byte_order_ = std::endian::little;
  std::set<const Value*> seen_;
  std::map<std::string, const StorageType*> storage_types_;  // by key
};

bool TorchFile::recognizes(std::string_view bytes) {
  constexpr char kPickle = '\x80';
  return is_zip(bytes) ||
         (bytes.size() > 1 && bytes[0] == kPickle && bytes.substr(0, 32).find(kMagicNumber) != bytes.npos);
}

TorchFile TorchFile::parse(std::string_view bytes, const std::string& name) { return TorchReader(bytes, name).read(); }

}  // namespace rune::format
