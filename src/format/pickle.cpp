#include "format/pickle.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rune/error.h>

#include "format/little_endian.h"
#include "format/quote.h"

namespace rune::format {
namespace {

// The operations of Python's pickle module (pickletools.py describes them), by the names they have there.
constexpr unsigned kMark = '(';
constexpr unsigned kStop = '.';
constexpr unsigned kPop = '0';
constexpr unsigned kPopMark = '1';
constexpr unsigned kDup = '2';
constexpr unsigned kBinInt = 'J';
constexpr unsigned kBinInt1 = 'K';
constexpr unsigned kBinInt2 = 'M';
constexpr unsigned kNone = 'N';
constexpr unsigned kBinPersId = 'Q';
constexpr unsigned kReduce = 'R';
constexpr unsigned kBinString = 'T';
constexpr unsigned kShortBinString = 'U';
constexpr unsigned kBinUnicode = 'X';
constexpr unsigned kAppend = 'a';
constexpr unsigned kBuild = 'b';
constexpr unsigned kGlobal = 'c';
constexpr unsigned kAppends = 'e';
constexpr unsigned kBinGet = 'h';
constexpr unsigned kLongBinGet = 'j';
constexpr unsigned kList = 'l';
constexpr unsigned kBinPut = 'q';
constexpr unsigned kLongBinPut = 'r';
constexpr unsigned kSetItem = 's';
constexpr unsigned kTuple = 't';
constexpr unsigned kSetItems = 'u';
constexpr unsigned kEmptyTuple = ')';
constexpr unsigned kEmptyList = ']';
constexpr unsigned kEmptyDict = '}';
constexpr unsigned kBinFloat = 'G';
constexpr unsigned kBinBytes = 'B';
constexpr unsigned kShortBinBytes = 'C';
constexpr unsigned kProto = 0x80;
constexpr unsigned kTuple1 = 0x85;
constexpr unsigned kTuple2 = 0x86;
constexpr unsigned kTuple3 = 0x87;
constexpr unsigned kNewTrue = 0x88;
constexpr unsigned kNewFalse = 0x89;
constexpr unsigned kLong1 = 0x8a;
constexpr unsigned kLong4 = 0x8b;
constexpr unsigned kShortBinUnicode = 0x8c;
constexpr unsigned kBinUnicode8 = 0x8d;
constexpr unsigned kBinBytes8 = 0x8e;
constexpr unsigned kStackGlobal = 0x93;
constexpr unsigned kMemoize = 0x94;
constexpr unsigned kFrame = 0x95;

constexpr unsigned kOldestProtocol = 2;
constexpr unsigned kNewestProtocol = 5;
constexpr std::size_t kMaxMarks = 1000;  // how deep values that are being built may lie in each other
constexpr std::string_view kOrderedDict = "collections.OrderedDict";

}  // namespace

/// Python's unpickling machine: a stack, marks on it, and a memo of values by number.
class Unpickler {
 public:
  Unpickler(std::string_view bytes, std::span<const std::string_view> globals, const std::string& name)
      : bytes_(bytes), globals_(globals), name_(name) {}

  Pickle run() {
    if (take_byte() != kProto) fail("expected a pickle of protocol 2 to 5");
    if (const unsigned protocol = take_byte(); protocol < kOldestProtocol || protocol > kNewestProtocol) {
      fail(fmt::format("expected protocol {} to {}, found {}", kOldestProtocol, kNewestProtocol, protocol));
    }
    for (;;) {
      operation_at_ = position_;
      const unsigned operation = take_byte();
      if (operation == kStop) break;
      execute(operation);
    }
    pickle_.root_ = pop();
    pickle_.size_ = position_;
    return std::move(pickle_);
  }

 private:
  using Value = Pickle::Value;

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("'{}': pickle, byte {}: {}", name_, operation_at_, what));
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - position_) {
      fail(fmt::format("expected {} more bytes, found {}", count, bytes_.size() - position_));
    }
    const auto taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }
  unsigned take_byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::uint64_t take_number(std::size_t size) { return from_little_endian(take(size)); }
  std::string_view take_line() {
    const auto end = bytes_.find('\n', position_);
    if (end == bytes_.npos) fail("expected a line");
    const auto line = take(end - position_);
    take(1);
    return line;
  }

  template <class Content>
  void push(Content content) {
    pickle_.values_.push_back(Value{std::move(content)});
    stack_.push_back(&pickle_.values_.back());
  }

  // What lies above the last mark is out of reach of all operations but those that take the mark away.
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Value* top() const {
    if (stack_.size() <= floor()) fail("the stack is empty");
    return stack_.back();
  }
  Value* pop() {
    Value* const value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<const Value*> pop_many(std::size_t count) {
    if (stack_.size() < floor() + count) fail("the stack is empty");
    std::vector<const Value*> values(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  std::vector<const Value*> pop_mark() {
    if (marks_.empty()) fail("there is no mark on the stack");
    auto values = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }

  template <class Kind>
  Kind& expect(Value* value, const char* what) const {
    Kind* const kind = std::get_if<Kind>(&value->content);
    if (kind == nullptr) fail(fmt::format("expected {}", what));
    return *kind;
  }

  void execute(unsigned operation) {
    switch (operation) {
      case kMark:
        if (marks_.size() == kMaxMarks) fail(fmt::format("values lie more than {} deep in each other", kMaxMarks));
        return marks_.push_back(stack_.size());
      case kPop:
        pop();
        return;
      case kPopMark:
        pop_mark();
        return;
      case kDup:
        return stack_.push_back(top());
      case kFrame:
        take(sizeof(std::uint64_t));
        return;

      case kNone:
        return push(Pickle::None());
      case kNewTrue:
        return push(true);
      case kNewFalse:
        return push(false);
      case kBinInt:
        return push(std::int64_t{static_cast<std::int32_t>(take_number(4))});
      case kBinInt1:
        return push(static_cast<std::int64_t>(take_number(1)));
      case kBinInt2:
        return push(static_cast<std::int64_t>(take_number(2)));
      case kLong1:
        return push_integer(take(take_number(1)));
      case kLong4:
        return push_integer(take(take_number(4)));
      case kBinFloat: {
        std::uint64_t bits = 0;  // big-endian, unlike all else
        for (const char byte : take(sizeof(bits))) bits = bits << 8 | static_cast<unsigned char>(byte);
        return push(std::bit_cast<double>(bits));
      }
      case kShortBinString:  // of Python 2
      case kShortBinUnicode:
        return push(std::string(take(take_number(1))));
      case kBinString:
      case kBinUnicode:
        return push(std::string(take(take_number(4))));
      case kBinUnicode8:
        return push(std::string(take(take_number(8))));
      case kShortBinBytes:
        return push(Pickle::Bytes{std::string(take(take_number(1)))});
      case kBinBytes:
        return push(Pickle::Bytes{std::string(take(take_number(4)))});
      case kBinBytes8:
        return push(Pickle::Bytes{std::string(take(take_number(8)))});

      case kEmptyList:
        return push(Pickle::Sequence());
      case kList:
        return push(Pickle::Sequence{pop_mark()});
      case kEmptyTuple:
        return push(Pickle::Sequence{{}, true});
      case kTuple1:
      case kTuple2:
      case kTuple3:
        return push(Pickle::Sequence{pop_many(operation - kTuple1 + 1), true});
      case kTuple:
        return push(Pickle::Sequence{pop_mark(), true});
      case kEmptyDict:
        return push(Pickle::Dictionary());
      case kAppend:
        return append(pop_many(1));
      case kAppends:
        return append(pop_mark());
      case kSetItem:
        return set_items(pop_many(2));
      case kSetItems:
        return set_items(pop_mark());

      case kBinGet:
        return get(take_number(1));
      case kLongBinGet:
        return get(take_number(4));
      case kBinPut:
        memo_[take_number(1)] = top();
        return;
      case kLongBinPut:
        memo_[take_number(4)] = top();
        return;
      case kMemoize:
        memo_[memo_.size()] = top();
        return;

      case kGlobal: {
        const auto module = take_line();
        return push_global(module, take_line());
      }
      case kStackGlobal: {
        const auto& name = expect<std::string>(pop(), "the name of a function");
        return push_global(expect<std::string>(pop(), "the name of a module"), name);
      }
      case kBinPersId:
        return push(Pickle::Persistent{pop()});
      case kReduce:
        return reduce();
      case kBuild:  // attributes of an OrderedDict: state_dict() leaves versions there
        pop();
        expect<Pickle::Dictionary>(top(), "attributes of an OrderedDict and of nothing else");
        return;
      default:
        fail(fmt::format("found the operation 0x{:02x}, which PyTorch's checkpoints do not need", operation));
    }
  }

  void push_integer(std::string_view bytes) {
    if (bytes.size() > sizeof(std::int64_t)) return push(Pickle::BigInteger{std::string(bytes)});
    const std::size_t unused = 8 * (sizeof(std::int64_t) - bytes.size());
    if (bytes.empty()) return push(std::int64_t{0});
    push(static_cast<std::int64_t>(from_little_endian(bytes) << unused) >> unused);  // extends the sign
  }

  void append(const std::vector<const Value*>& values) {
    auto& list = expect<Pickle::Sequence>(top(), "a list to append to");
    if (list.is_tuple) fail("expected a list to append to, found a tuple");
    list.items.insert(list.items.end(), values.begin(), values.end());
  }

  void set_items(const std::vector<const Value*>& values) {
    auto& dictionary = expect<Pickle::Dictionary>(top(), "a dictionary to put items into");
    if (values.size() % 2 != 0) fail("expected a value for each key");
    for (std::size_t i = 0; i < values.size(); i += 2) dictionary.entries.emplace_back(values[i], values[i + 1]);
  }

  void get(std::uint64_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) fail(fmt::format("value {} has not been remembered", number));
    stack_.push_back(found->second);
  }

  void push_global(std::string_view module, std::string_view name) {
    std::string full = fmt::format("{}.{}", module, name);
    if (full != kOrderedDict && std::ranges::find(globals_, full) == globals_.end()) {
      fail(
          fmt::format("it wants {}, which a file of weights does not need; refused. Nothing of it was run. Save the "
                      "model's state_dict() and the alphabet alone.",
                      quote(full)));
    }
    push(Pickle::Global{std::move(full)});
  }

  void reduce() {
    Value* const arguments = pop();
    const auto& tuple = expect<Pickle::Sequence>(arguments, "a tuple of arguments");
    const std::string function = expect<Pickle::Global>(pop(), "a function to call").name;
    if (function != kOrderedDict) return push(Pickle::Call{function, arguments});
    if (!tuple.items.empty()) fail("expected an OrderedDict that is filled after it is made");
    push(Pickle::Dictionary());
  }

  std::string_view bytes_;
  std::span<const std::string_view> globals_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::size_t operation_at_ = 0;
  Pickle pickle_;
  std::vector<Value*> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, Value*> memo_;
};

Pickle Pickle::parse(std::string_view bytes, std::span<const std::string_view> globals, const std::string& name) {
  return Unpickler(bytes, globals, name).run();
}

}  // namespace rune::format
