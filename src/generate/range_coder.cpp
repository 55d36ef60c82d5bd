#include "generate/range_coder.h"

#include <algorithm>
#include <utility>

namespace rune::generate {
namespace {

constexpr std::uint64_t kLeast = std::uint64_t{1} << 56;  // of a range: below it a byte is known

/// What is left of a range after a symbol: the last one takes what the division left over.
std::uint64_t narrowed(std::uint64_t range, std::uint64_t unit, std::uint64_t first, std::uint64_t size,
                       std::uint64_t total) {
  return first + size == total ? range - unit * first : unit * size;
}

}  // namespace

std::size_t RangeEncoder::code(std::span<const std::uint32_t> frequencies, std::uint64_t total, std::size_t symbol) {
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < symbol; ++i) first += frequencies[i];
  const std::uint64_t unit = range_ / total;
  add(unit * first);
  range_ = narrowed(range_, unit, first, frequencies[symbol], total);
  for (; range_ < kLeast; range_ <<= 8, low_ <<= 8) bytes_ += static_cast<char>(low_ >> 56);
  return symbol;
}

/// A carry goes through the bytes that are there.
void RangeEncoder::add(std::uint64_t step) {
  low_ += step;
  if (low_ >= step) return;
  for (std::size_t i = bytes_.size(); i-- > 0;)
    if (++bytes_[i] != 0) break;
}

/// The number in the interval that ends in the most zeros, which need not be written.
std::string RangeEncoder::finish() {
  add(kLeast - 1);
  bytes_ += static_cast<char>(low_ >> 56);
  return std::move(bytes_);
}

RangeDecoder::RangeDecoder(std::string_view bytes) : bytes_(bytes) {
  for (std::size_t i = 0; i <= kAhead; ++i) code_ = code_ << 8 | next_byte();
}

std::uint64_t RangeDecoder::next_byte() {
  const std::size_t at = read_++;
  return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0;
}

std::size_t RangeDecoder::code(std::span<const std::uint32_t> frequencies, std::uint64_t total,
                               std::size_t /*symbol*/) {
  const std::uint64_t unit = range_ / total;
  const std::uint64_t position = std::min(code_ / unit, total - 1);
  std::size_t symbol = 0;
  std::uint64_t first = 0;
  for (; position - first >= frequencies[symbol]; ++symbol) first += frequencies[symbol];
  code_ -= unit * first;
  range_ = narrowed(range_, unit, first, frequencies[symbol], total);
  for (; range_ < kLeast; range_ <<= 8) code_ = code_ << 8 | next_byte();
  return symbol;
}

}  // namespace rune::generate
