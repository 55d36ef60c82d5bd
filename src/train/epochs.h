#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <rune/options.h>

namespace rune::train {

/// Steps and epochs of a training: where each epoch begins, for epochs of the same or of different numbers of steps.
/// Not thread-safe; grows as it is asked about later epochs.
class Epochs {
 public:
  /// All epochs have `steps` steps, at least 1.
  explicit Epochs(std::int64_t steps);
  /// `steps(epoch)` steps in epoch 0, 1, ...
  explicit Epochs(std::function<std::int64_t(std::int64_t epoch)> steps);

  struct Place {
    std::int64_t epoch = 0;  // from 0
    std::int64_t index = 0;  // of the step within it
  };
  [[nodiscard]] Place place_of(std::int64_t step) const;
  /// The step at which so many epochs are over, rounded to the nearest.
  [[nodiscard]] std::int64_t step_at(double epochs) const;
  /// Epochs that are over at a step; a part of an epoch is its share of that epoch's steps.
  [[nodiscard]] double epochs_at(std::int64_t step) const;
  /// Whether all epochs have the same number of steps.
  [[nodiscard]] bool equal() const { return constant_ != 0; }
  /// Steps of the first epoch.
  [[nodiscard]] std::int64_t first() const;

  /// Where a period of steps or epochs ends that begins at `start`; at least one step later, unless it is 0.
  [[nodiscard]] std::int64_t end_of(const Period& period, std::int64_t start) const;
  /// Whether a whole number of such periods is over at a step above 0.
  [[nodiscard]] bool ends(const Period& period, std::int64_t step) const;

 private:
  [[nodiscard]] std::int64_t start_of(std::int64_t epoch) const;

  std::int64_t constant_ = 0;  // 0: epochs differ
  std::function<std::int64_t(std::int64_t)> steps_;
  mutable std::vector<std::int64_t> starts_;  // of epochs known so far, when they differ
};

}  // namespace rune::train
