#include "text/window_batcher.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include <rune/error.h>

#include "base/random.h"
#include "text/corpus.h"
#include "text/expect.h"
#include "text/order.h"

namespace rune::text {
namespace {

std::vector<std::int32_t> numbers(std::int64_t begin, std::int64_t end) {
  if (end > std::numeric_limits<std::int32_t>::max()) {
    throw InputError("expected at most " + std::to_string(std::numeric_limits<std::int32_t>::max()) +
                     " windows, found " + std::to_string(end) + "; use a larger stride or less text");
  }
  std::vector<std::int32_t> result(static_cast<std::size_t>(std::max<std::int64_t>(0, end - begin)));
  std::iota(result.begin(), result.end(), static_cast<std::int32_t>(begin));
  return result;
}

}  // namespace

std::int64_t WindowLayout::count(std::size_t tokens) const {
  const auto targets = static_cast<std::int64_t>(tokens) - 1;
  if (targets < 1) return 0;
  if (partial && loss_on == LossOn::all && stride >= window) return (targets - 1) / stride + 1;
  return targets < window ? 0 : (targets - window) / stride + 1;
}

WindowBatcher::WindowBatcher(std::span<const std::int32_t> tokens, const WindowLayout& layout, int batch_size,
                             std::vector<std::int32_t> windows, std::optional<std::uint64_t> shuffle)
    : tokens_(tokens),
      layout_(layout),
      batch_size_(batch_size),
      windows_(std::move(windows)),
      seed_(shuffle),
      order_(windows_) {
  expect_positive("window", layout.window);
  expect_positive("stride", layout.stride);
  expect_positive("batch size", batch_size);
  expect_two(tokens);
  if (windows_.empty()) {
    throw InputError("expected a text of at least one window of " + std::to_string(layout.window) +
                     " characters and the one after it, found " + std::to_string(tokens.size()) +
                     " characters; use more text or a shorter sequence length");
  }
  inputs_.resize(static_cast<std::size_t>(layout.window) * static_cast<std::size_t>(batch_size));
  targets_.resize(inputs_.size());
}

WindowBatcher::WindowBatcher(std::span<const std::int32_t> tokens, int window, int batch_size)
    : WindowBatcher(tokens, WindowLayout{.window = window, .stride = window}, batch_size,
                    numbers(0, window < 1 ? 0 : WindowLayout{.window = window, .stride = window}.count(tokens.size())),
                    std::nullopt) {}

std::int64_t WindowBatcher::blocks(std::int64_t /*epoch*/) {
  return (std::ssize(windows_) + batch_size_ - 1) / batch_size_;
}

TokenBlock WindowBatcher::block(std::int64_t epoch, std::int64_t index) {
  if (seed_ && epoch != epoch_) {
    order_ = windows_;
    shuffle(order_, RandomStream(*seed_, RandomPurpose::shuffle, static_cast<std::uint64_t>(epoch)));
    epoch_ = epoch;
  }
  const auto T = static_cast<std::size_t>(layout_.window);
  const auto B = static_cast<std::size_t>(batch_size_);
  for (std::size_t b = 0; b < B; ++b) {
    const std::size_t at = static_cast<std::size_t>(index) * B + b;
    const std::size_t begin = at < order_.size()
                                  ? static_cast<std::size_t>(order_[at]) * static_cast<std::size_t>(layout_.stride)
                                  : tokens_.size();
    for (std::size_t t = 0; t < T; ++t) {
      const bool present = begin + t + 1 < tokens_.size();
      const bool counted = present && (layout_.loss_on == LossOn::all || t + 1 == T);
      inputs_[t * B + b] = present ? tokens_[begin + t] : 0;
      targets_[t * B + b] = counted ? tokens_[begin + t + 1] : kNotCounted;
    }
  }
  return {layout_.window, batch_size_, inputs_, targets_};
}

WindowSplit split_windows(std::int64_t count, const TextOptions& options) {
  if (!splits_windows(options)) return {numbers(0, count), {}};
  const std::int64_t validation = std::min(options.validation_windows.value_or(static_cast<std::int64_t>(
                                               static_cast<double>(count) * options.validation_fraction)),
                                           count);
  if (options.validation_split == ValidationSplit::last_windows) {
    return {numbers(0, count - validation), numbers(count - validation, count)};
  }
  std::vector<std::int32_t> all = numbers(0, count);
  shuffle(all, RandomStream(0, RandomPurpose::split));
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(validation);
  WindowSplit split{{middle, all.end()}, {all.begin(), middle}};
  std::ranges::sort(split.train);
  std::ranges::sort(split.validation);
  return split;
}

}  // namespace rune::text
