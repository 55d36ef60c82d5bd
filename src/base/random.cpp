#include "base/random.h"

#include <cmath>
#include <numbers>

namespace rune {
namespace {

// A bijection of 64 bits that changes half of them when one changes (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

double to_uniform_double(std::uint32_t first, std::uint32_t second) {
  const std::uint64_t bits = std::uint64_t{first >> 5} << 26 | second >> 6;
  return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
               low(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t step, std::uint32_t layer)
    : step_(step) {
  const std::uint64_t key = mix(mix(seed) ^ (std::uint64_t{static_cast<std::uint32_t>(purpose)} << 32 | layer));
  key_ = {low(key), high(key)};
}

std::array<std::uint32_t, 4> RandomStream::block(std::uint64_t index) const {
  return philox({low(index), high(index), low(step_), high(step_)}, key_);
}

std::uint32_t RandomStream::bits(std::uint64_t index) const { return block(index / 4)[index % 4]; }

float RandomStream::uniform(std::uint64_t index) const { return static_cast<float>(bits(index) >> 8) * 0x1p-24f; }

double RandomStream::uniform_double(std::uint64_t index) const {
  const auto numbers = block(index / 2);
  return index % 2 == 0 ? to_uniform_double(numbers[0], numbers[1]) : to_uniform_double(numbers[2], numbers[3]);
}

double RandomStream::normal(std::uint64_t index) const {
  const auto numbers = block(index);  // those of uniform_double(2 * index) and uniform_double(2 * index + 1)
  const double radius = std::sqrt(-2 * std::log1p(-to_uniform_double(numbers[0], numbers[1])));
  return radius * std::cos(2 * std::numbers::pi * to_uniform_double(numbers[2], numbers[3]));
}

}  // namespace rune
