#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rune::generate {

/// A symbol of many, by how frequent each is: an encoder writes the one that it is given, a decoder returns the one
/// that it reads. So what a file holds is written down once for both directions.
///
/// Range coding (Martin 1979) with 64 bits: integers alone, hence the same on every machine. A symbol takes
/// log2(total / frequency) bits, and less than 2^-7 of that more. Not thread-safe.
class SymbolCoder {
 public:
  static constexpr std::uint64_t kMaxTotal = std::uint64_t{1} << 48;

  virtual ~SymbolCoder() = default;
  /// `total`: the sum of the frequencies, in [1, kMaxTotal]. That of `symbol` must not be 0; a decoder does not look at
  /// it.
  virtual std::size_t code(std::span<const std::uint32_t> frequencies, std::uint64_t total, std::size_t symbol) = 0;

 protected:
  SymbolCoder() = default;
  SymbolCoder(const SymbolCoder&) = default;
  SymbolCoder& operator=(const SymbolCoder&) = default;
};

class RangeEncoder final : public SymbolCoder {
 public:
  std::size_t code(std::span<const std::uint32_t> frequencies, std::uint64_t total, std::size_t symbol) override;
  /// All bytes; nothing can be coded after that.
  [[nodiscard]] std::string finish();

 private:
  void add(std::uint64_t step);

  std::string bytes_;
  std::uint64_t low_ = 0;  // of the interval that is left, after the bytes
  std::uint64_t range_ = ~std::uint64_t{0};
};

/// Reads what a RangeEncoder wrote; the bytes must outlive it. After their end it reads zeros: whoever decodes asks now
/// and then whether it is over.
class RangeDecoder final : public SymbolCoder {
 public:
  explicit RangeDecoder(std::string_view bytes);
  std::size_t code(std::span<const std::uint32_t> frequencies, std::uint64_t total, std::size_t symbol) override;
  /// More has been decoded than the bytes hold.
  [[nodiscard]] bool over() const { return read_ > bytes_.size() + kAhead; }
  /// All has been decoded that the bytes hold.
  [[nodiscard]] bool at_end() const { return read_ == bytes_.size() + kAhead; }

 private:
  static constexpr std::size_t kAhead = 7;  // bytes that it has read when an encoder has written one
  std::uint64_t next_byte();

  std::string_view bytes_;
  std::size_t read_ = 0;
  std::uint64_t code_ = 0;  // where the number that the bytes are lies in the interval that is left
  std::uint64_t range_ = ~std::uint64_t{0};
};

}  // namespace rune::generate
