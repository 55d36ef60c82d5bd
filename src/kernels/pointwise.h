#pragma once

#include "kernels/vector.h"

/// What is done element by element or row by row: loss, dropout, gather and scatter, optimisers.
namespace rune::kernels {
namespace {

template <int W>
float cross_entropy(float* logits, std::size_t padded, std::int32_t target, float scale) {
  Vec<W> largest = load<W>(logits);
  for (std::size_t j = W; j < padded; j += W) largest = max<W>(largest, load<W>(logits + j));
  const float top = max_lane<W>(largest);
  Vec<W> sums{};
  for (std::size_t j = 0; j < padded; j += W) sums += exp<W>(load<W>(logits + j) - top);
  const double total = sum<W>(sums);
  const double loss = __builtin_log(total) - (static_cast<double>(logits[target]) - static_cast<double>(top));
  if (scale != 0.0F) {
    const auto factor = static_cast<float>(static_cast<double>(scale) / total);
    for (std::size_t j = 0; j < padded; j += W) store<W>(logits + j, exp<W>(load<W>(logits + j) - top) * factor);
    logits[target] -= scale;
  }
  return static_cast<float>(loss);
}

template <int W>
void exponentials(const float* in, std::size_t n, float shift, float factor, float* out) {
  std::size_t i = 0;
  for (; i + W <= n; i += W) store<W>(out + i, exp<W>((load<W>(in + i) - shift) * factor));
  if (i == n) return;
  float rest[W] = {};
  for (std::size_t j = 0; i + j < n; ++j) rest[j] = (in[i + j] - shift) * factor;
  store<W>(rest, exp<W>(load<W>(rest)));
  for (std::size_t j = 0; i + j < n; ++j) out[i + j] = rest[j];
}

/// Philox4x32-10 over 16 neighbouring blocks at once; see base/random.h. Lanes of 64 bits hold 32, so that a product
/// keeps both halves.
template <int W>
struct PhiloxBlocks {
  static constexpr int kBlocks = 16;
  static constexpr int kLanes = W / 2;
  using Wide = typename VectorOf<W>::Wide;
  using Narrow = typename VectorOf<W>::Narrow;

  std::uint32_t words[4][kBlocks];

  PhiloxBlocks(std::uint64_t first_block, const DropoutKey& key) {
    constexpr std::uint64_t kLow = 0xffffffffU;
    for (int i = 0; i < kBlocks; i += kLanes) {
      Wide block{};
      for (int lane = 0; lane < kLanes; ++lane) block[lane] = first_block + static_cast<std::uint64_t>(i + lane);
      Wide w0 = block & kLow;
      Wide w1 = block >> 32;
      Wide w2 = Wide{} + (key.step & kLow);
      Wide w3 = Wide{} + (key.step >> 32);
      std::uint32_t k0 = key.key[0];
      std::uint32_t k1 = key.key[1];
      for (int round = 0; round < 10; ++round) {
        const Wide p0 = w0 * std::uint64_t{0xD2511F53};
        const Wide p1 = w2 * std::uint64_t{0xCD9E8D57};
        w0 = p1 >> 32 ^ w1 ^ std::uint64_t{k0};
        w2 = p0 >> 32 ^ w3 ^ std::uint64_t{k1};
        w1 = p1 & kLow;
        w3 = p0 & kLow;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
      }
      *reinterpret_cast<Narrow*>(&words[0][i]) = __builtin_convertvector(w0, Narrow);
      *reinterpret_cast<Narrow*>(&words[1][i]) = __builtin_convertvector(w1, Narrow);
      *reinterpret_cast<Narrow*>(&words[2][i]) = __builtin_convertvector(w2, Narrow);
      *reinterpret_cast<Narrow*>(&words[3][i]) = __builtin_convertvector(w3, Narrow);
    }
  }
};

template <int W>
void dropout(const float* in, float* out, std::uint64_t first, std::size_t n, const DropoutKey& key,
             std::uint32_t threshold) {
  constexpr std::uint64_t kRun = PhiloxBlocks<W>::kBlocks;
  const float scale = 65536.0F / static_cast<float>(65536U - threshold);
  // Runs of 16 elements: 8 of them use the half-words of the same 16 blocks.
  for (std::size_t done = 0; done < n;) {
    const std::uint64_t group = (first + done) / (8 * kRun);
    const PhiloxBlocks<W> random(group * kRun, key);
    for (std::uint64_t run = (first + done) / kRun % 8; run < 8 && done < n; ++run, done += kRun) {
      const std::uint32_t* words = random.words[run / 2];
      const std::uint32_t shift = run % 2 == 0 ? 0 : 16;
      for (std::size_t i = 0; i < kRun; i += W) {
        typename VectorOf<W>::Bits halves;
        __builtin_memcpy(&halves, words + i, sizeof halves);
        halves = halves >> shift & 0xffffU;
        const Vec<W> kept = load<W>(in + done + i) * scale;
        store<W>(out + done + i, halves >= threshold ? kept : Vec<W>{});
      }
    }
  }
}

inline void gather(const float* table, std::size_t table_stride, const std::int32_t* tokens, std::size_t rows,
                   float* out, std::size_t out_stride, std::size_t n) {
  for (std::size_t r = 0; r < rows; ++r) {
    const float* in = table + static_cast<std::size_t>(tokens[r]) * table_stride;
    for (std::size_t j = 0; j < n; ++j) out[r * out_stride + j] = in[j];
  }
}

inline void scatter_add(float* table, std::size_t table_stride, const std::int32_t* tokens, std::size_t rows,
                        const float* in, std::size_t in_stride, std::size_t n) {
  for (std::size_t r = 0; r < rows; ++r) {
    float* out = table + static_cast<std::size_t>(tokens[r]) * table_stride;
    for (std::size_t j = 0; j < n; ++j) out[j] += in[r * in_stride + j];
  }
}

inline void adam(const AdamUpdate& u, float* __restrict parameters, const float* __restrict gradients,
                 float* __restrict first, float* __restrict second, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const float p = parameters[i] * u.parameter_scale;
    const float g = gradients[i] * u.gradient_scale + u.weight_decay * p;
    const float m = first[i] * u.beta1 + g * u.one_minus_beta1;
    const float v = second[i] * u.beta2 + g * g * u.one_minus_beta2;
    first[i] = m;
    second[i] = v;
    parameters[i] = p - u.step_size * (m / (__builtin_sqrtf(v) + u.eps));
  }
}

inline void sgd(const SgdUpdate& u, float* __restrict parameters, const float* __restrict gradients,
                float* __restrict momentum_buffer, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    float g = gradients[i] * u.gradient_scale + u.weight_decay * parameters[i];
    if (u.momentum != 0.0F) {
      const float buffer = u.first_step ? g : momentum_buffer[i] * u.momentum + g;
      momentum_buffer[i] = buffer;
      g = u.nesterov ? g + buffer * u.momentum : buffer;
    }
    parameters[i] -= u.learning_rate * g;
  }
}

inline void rmsprop(const RmspropUpdate& u, float* __restrict parameters, const float* __restrict gradients,
                    float* __restrict square_average, float* __restrict momentum_buffer, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = gradients[i] * u.gradient_scale + u.weight_decay * parameters[i];
    const float average = square_average[i] * u.alpha + g * g * u.one_minus_alpha;
    square_average[i] = average;
    float update = g / (__builtin_sqrtf(average) + u.eps);
    if (u.momentum != 0.0F) {
      update = momentum_buffer[i] * u.momentum + update;
      momentum_buffer[i] = update;
    }
    parameters[i] -= u.learning_rate * update;
  }
}

inline void move_average(float share, const float* __restrict values, float* __restrict average, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) average[i] += share * (values[i] - average[i]);
}

inline double sum_of_squares(const float* values, std::size_t n) {
  constexpr std::size_t kLanes = 16;
  double lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t j = 0; j < kLanes; ++j)
      lanes[j] += static_cast<double>(values[i + j]) * static_cast<double>(values[i + j]);
  double total = 0;
  for (; i < n; ++i) total += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  for (const double lane : lanes) total += lane;
  return total;
}

}  // namespace
}  // namespace rune::kernels
