#include "text/record_batcher.h"

#include <algorithm>
#include <numeric>

#include <rune/error.h>

#include "base/random.h"
#include "text/expect.h"
#include "text/order.h"

namespace rune::text {
namespace {

constexpr std::size_t kBlocksSortedTogether = 100;

}  // namespace

RecordBatcher::RecordBatcher(std::span<const std::int32_t> tokens, std::span<const std::size_t> ends, int batch_size,
                             std::optional<std::uint64_t> shuffle)
    : tokens_(tokens), ends_(ends), batch_size_(batch_size), seed_(shuffle) {
  expect_positive("batch size", batch_size);
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    const auto number = static_cast<std::int32_t>(i);
    const auto targets = static_cast<int>(record(number).size()) - 1;
    if (targets < 1) continue;
    records_.push_back(number);
    longest_ = std::max(longest_, targets);
  }
  if (records_.empty()) throw InputError("expected at least one record, found none");
  block_order_.resize((records_.size() + static_cast<std::size_t>(batch_size) - 1) /
                      static_cast<std::size_t>(batch_size));
  std::iota(block_order_.begin(), block_order_.end(), 0);
  inputs_.resize(static_cast<std::size_t>(longest_) * static_cast<std::size_t>(batch_size));
  targets_.resize(inputs_.size());
}

std::span<const std::int32_t> RecordBatcher::record(std::int32_t number) const {
  const auto i = static_cast<std::size_t>(number);
  const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
  return tokens_.subspan(begin, ends_[i] - begin);
}

std::int64_t RecordBatcher::blocks(std::int64_t /*epoch*/) { return std::ssize(block_order_); }

void RecordBatcher::arrange(std::int64_t epoch) {
  if (epoch == epoch_ || (epoch_ >= 0 && !seed_)) return;
  epoch_ = epoch;
  std::ranges::sort(records_);
  const auto shorter = [&](std::int32_t a, std::int32_t b) {
    const std::size_t length_a = record(a).size();
    const std::size_t length_b = record(b).size();
    return length_a != length_b ? length_a < length_b : a < b;
  };
  if (!seed_) {
    std::ranges::sort(records_, shorter);
    return;
  }
  const auto step = static_cast<std::uint64_t>(epoch);
  shuffle(records_, RandomStream(*seed_, RandomPurpose::shuffle, step, 0));
  const std::size_t together = kBlocksSortedTogether * static_cast<std::size_t>(batch_size_);
  for (std::size_t first = 0; first < records_.size(); first += together) {
    std::ranges::sort(std::span(records_).subspan(first, std::min(together, records_.size() - first)), shorter);
  }
  std::ranges::sort(block_order_);
  shuffle(block_order_, RandomStream(*seed_, RandomPurpose::shuffle, step, 1));
}

TokenBlock RecordBatcher::block(std::int64_t epoch, std::int64_t index) {
  arrange(epoch);
  const auto B = static_cast<std::size_t>(batch_size_);
  const std::size_t first = static_cast<std::size_t>(block_order_[static_cast<std::size_t>(index)]) * B;
  const std::size_t count = std::min(B, records_.size() - first);
  std::size_t T = 0;
  for (std::size_t b = 0; b < count; ++b) T = std::max(T, record(records_[first + b]).size() - 1);
  for (std::size_t b = 0; b < B; ++b) {
    const auto tokens = b < count ? record(records_[first + b]) : std::span<const std::int32_t>();
    for (std::size_t t = 0; t < T; ++t) {
      const bool present = t + 1 < tokens.size();
      inputs_[t * B + b] = present ? tokens[t] : 0;
      targets_[t * B + b] = present ? tokens[t + 1] : kNotCounted;
    }
  }
  return {static_cast<int>(T), batch_size_, std::span(inputs_).first(T * B), std::span(targets_).first(T * B)};
}

}  // namespace rune::text
