#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rune::format {

/// A Python pickle read as data. Nothing is ever executed: what Python would have called is kept as the name of a
/// function and its arguments, and only names that the caller allows may occur at all. Owns all its values, which refer
/// to each other in any way, circles included. Movable (values stay where they are), immutable, thread-safe.
class Pickle {
 public:
  struct Value;
  struct None {};
  struct BigInteger {
    std::string bytes;  // little-endian, two's complement, more than 8
  };
  struct Bytes {
    std::string bytes;
  };
  struct Sequence {
    std::vector<const Value*> items;
    bool is_tuple = false;
  };
  struct Dictionary {  // an OrderedDict too
    std::vector<std::pair<const Value*, const Value*>> entries;
  };
  struct Global {
    std::string name;  // module.name
  };
  struct Call {
    std::string function;
    const Value* arguments = nullptr;  // a tuple
  };
  struct Persistent {
    const Value* id = nullptr;
  };
  /// `std::string` is text.
  struct Value {
    std::variant<None, bool, std::int64_t, double, BigInteger, std::string, Bytes, Sequence, Dictionary, Global, Call,
                 Persistent>
        content;

    /// nullptr if it is of another kind.
    template <class Kind>
    [[nodiscard]] const Kind* get_if() const {
      return std::get_if<Kind>(&content);
    }
  };

  /// Reads the pickle at the beginning of `bytes`: protocols 2 to 5, as far as PyTorch's files use them. `globals` are
  /// the functions and types that may occur besides collections.OrderedDict. Throws InputError naming `name`, the byte
  /// and what was found. Takes at most kMaxPickleExpansion times the pickle's size.
  static Pickle parse(std::string_view bytes, std::span<const std::string_view> globals, const std::string& name);

  [[nodiscard]] const Value& root() const { return *root_; }
  /// All of them, in the order in which they were made.
  [[nodiscard]] const std::deque<Value>& values() const { return values_; }
  /// Bytes that it takes of those given to parse().
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend class Unpickler;
  std::deque<Value> values_;
  const Value* root_ = nullptr;
  std::size_t size_ = 0;
};

/// The shortest operation that makes a value is one byte long.
inline constexpr std::size_t kMaxPickleExpansion = 256;

}  // namespace rune::format
