#pragma once

#include <algorithm>
#include <cstdint>

namespace rune::train {

/// Follows the losses of a training's steps and tells one that explodes from one that wavers: the mean of about the
/// last 10 steps is twice that of about the last 300, and at least a nat above it; in the first 100 steps four times
/// what it was at the beginning. A value, a function of the losses alone.
struct LossTrend {
  std::int64_t steps = 0;
  double level = 0;   // nats per character, mean of about 300 steps
  double recent = 0;  // of about 10

  void add(double loss) {
    constexpr double kSlow = 1.0 / 300;
    constexpr double kFast = 0.1;
    level += (steps == 0 ? 1 : kSlow) * (loss - level);
    recent += (steps == 0 ? 1 : kFast) * (loss - recent);
    ++steps;
  }
  [[nodiscard]] bool exploded() const { return is_above(1); }
  /// Half-way to an explosion: not a moment to keep.
  [[nodiscard]] bool unsettled() const { return is_above(0.5); }

  bool operator==(const LossTrend&) const = default;

 private:
  [[nodiscard]] bool is_above(double margin) const {
    constexpr std::int64_t kFirst = 100;
    constexpr double kAtFirst = 3;
    return recent > level + (steps < kFirst ? kAtFirst : 1) * margin * std::max(level, 1.0);
  }
};

}  // namespace rune::train
