#include "train/epochs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "train/period.h"

namespace rune::train {
namespace {

std::int64_t rounded(double steps) {
  return static_cast<std::int64_t>(std::round(std::min(steps, static_cast<double>(kMostSteps))));
}

}  // namespace

Epochs::Epochs(std::int64_t steps) : constant_(steps) {}

Epochs::Epochs(std::function<std::int64_t(std::int64_t)> steps) : steps_(std::move(steps)), starts_{0} {
  starts_.reserve(1024);  // so that a step rarely allocates
}

std::int64_t Epochs::start_of(std::int64_t epoch) const {
  if (constant_ != 0) return epoch * constant_;
  while (std::ssize(starts_) <= epoch) starts_.push_back(starts_.back() + steps_(std::ssize(starts_) - 1));
  return starts_[static_cast<std::size_t>(epoch)];
}

Epochs::Place Epochs::place_of(std::int64_t step) const {
  if (constant_ != 0) return {step / constant_, step % constant_};
  for (std::int64_t last = starts_.back(); last <= step;) last = start_of(std::ssize(starts_));
  const auto after = std::ranges::upper_bound(starts_, step);
  return {after - starts_.begin() - 1, step - *(after - 1)};
}

std::int64_t Epochs::step_at(double epochs) const {
  if (constant_ != 0) return rounded(epochs * static_cast<double>(constant_));
  const auto whole = static_cast<std::int64_t>(std::floor(epochs));
  const double part = epochs - static_cast<double>(whole);
  const std::int64_t start = start_of(whole);
  return part == 0 ? start : start + rounded(part * static_cast<double>(start_of(whole + 1) - start));
}

double Epochs::epochs_at(std::int64_t step) const {
  if (constant_ != 0) return static_cast<double>(step) / static_cast<double>(constant_);
  const Place place = place_of(step);
  const auto steps = static_cast<double>(start_of(place.epoch + 1) - start_of(place.epoch));
  return static_cast<double>(place.epoch) + static_cast<double>(place.index) / steps;
}

std::int64_t Epochs::first() const { return start_of(1); }

std::int64_t Epochs::end_of(const Period& period, std::int64_t start) const {
  if (period.value == 0) return start;
  const std::int64_t end =
      period.unit == Period::Unit::epochs ? step_at(epochs_at(start) + period.value) : start + rounded(period.value);
  return std::max(end, start + 1);
}

bool Epochs::ends(const Period& period, std::int64_t step) const {
  if (step == 0) return false;
  if (period.unit == Period::Unit::steps) return step % std::max<std::int64_t>(1, rounded(period.value)) == 0;
  const double periods = std::round(epochs_at(step) / period.value);
  return periods >= 1 && step_at(periods * period.value) == step;
}

}  // namespace rune::train
