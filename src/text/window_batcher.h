#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/batcher.h"

namespace rune::text {

/// Where windows lie in a text, and which of their steps have a loss. Window i has the inputs from i * stride on and
/// targets one further.
struct WindowLayout {
  int window = 1;  // T
  int stride = 1;
  LossOn loss_on = LossOn::all;
  bool partial = true;  // also the window that the end of the text cuts short; only where windows do not overlap

  /// Windows in a text of so many tokens.
  [[nodiscard]] std::int64_t count(std::size_t tokens) const;
};

/// Independent windows. Positions that are missing from a window, and windows that are missing from an epoch's last
/// block, have input 0 and the target kNotCounted; every block has `batch_size` windows.
class WindowBatcher final : public Batcher {
 public:
  /// `windows`: the numbers of those that are walked, in this order or, with a seed, in a new order in every epoch.
  /// Throws InputError if there are none.
  WindowBatcher(std::span<const std::int32_t> tokens, const WindowLayout& layout, int batch_size,
                std::vector<std::int32_t> windows, std::optional<std::uint64_t> shuffle);
  /// All windows of T characters next to each other: every character but the first is a target exactly once.
  WindowBatcher(std::span<const std::int32_t> tokens, int window, int batch_size);

  [[nodiscard]] int batch_size() const override { return batch_size_; }
  [[nodiscard]] int longest() const override { return layout_.window; }
  [[nodiscard]] bool carries_state() const override { return false; }
  [[nodiscard]] std::int64_t blocks(std::int64_t epoch) override;
  [[nodiscard]] TokenBlock block(std::int64_t epoch, std::int64_t index) override;

 private:
  std::span<const std::int32_t> tokens_;
  WindowLayout layout_;
  int batch_size_;
  std::vector<std::int32_t> windows_;
  std::optional<std::uint64_t> seed_;
  std::int64_t epoch_ = -1;          // that order_ belongs to
  std::vector<std::int32_t> order_;  // windows_ shuffled
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

/// The windows 0 .. count-1 divided into those of training and those of validation. The draw does not depend on any
/// seed: the same text is always divided in the same way.
struct WindowSplit {
  std::vector<std::int32_t> train;
  std::vector<std::int32_t> validation;
};
WindowSplit split_windows(std::int64_t count, const TextOptions& options);

}  // namespace rune::text
