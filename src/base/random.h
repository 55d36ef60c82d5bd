#pragma once

#include <array>
#include <cstdint>

namespace rune {

/// What random numbers are drawn for. Part of the key, so that no two uses ever share numbers.
/// The values are stored nowhere but decide every bit of a training: they never change.
enum class RandomPurpose : std::uint32_t {
  initialize = 1,
  dropout = 2,
  sample = 3,
  shuffle = 4,
  lengths = 5,
  split = 6,
  offsets = 7,
  weight_drop = 8
};

/// One Philox4x32-10 block (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Counter-based random numbers: a pure function of (seed, purpose, step, layer, index), whatever the order, the
/// number of threads or what was drawn before. A value type; thread-safe.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t step = 0, std::uint32_t layer = 0);

  /// Block `index` of four 32-bit numbers: philox({index low, index high, step low, step high}, key()).
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint64_t index) const;
  /// Number `index` of the stream: 32 bits of block index / 4.
  [[nodiscard]] std::uint32_t bits(std::uint64_t index) const;
  /// Uniform in [0, 1): 24 bits of number `index`.
  [[nodiscard]] float uniform(std::uint64_t index) const;
  /// Uniform in [0, 1): 53 bits of numbers 2 * index and 2 * index + 1.
  [[nodiscard]] double uniform_double(std::uint64_t index) const;
  /// Standard normal (Box-Muller on uniform_double).
  [[nodiscard]] double normal(std::uint64_t index) const;

  [[nodiscard]] std::array<std::uint32_t, 2> key() const { return key_; }
  [[nodiscard]] std::uint64_t step() const { return step_; }

 private:
  std::array<std::uint32_t, 2> key_;  // a 64-bit mix of seed, purpose and layer
  std::uint64_t step_;
};

}  // namespace rune
