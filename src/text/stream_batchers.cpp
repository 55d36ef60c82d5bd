#include "text/stream_batchers.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <rune/error.h>

#include "base/random.h"
#include "text/expect.h"

namespace rune::text {
namespace {

// Of random lengths: Merity et al.'s numbers.
constexpr double kDeviation = 5;
constexpr double kHalvedShare = 0.05;
constexpr int kShortest = 5;
constexpr int kLongestAbove = 40;  // eight deviations: never reached

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

}  // namespace

StreamBatcher::StreamBatcher(std::span<const std::int32_t> tokens, int batch_size, int sequence_length,
                             const StreamVariation& variation)
    : tokens_(tokens),
      batch_size_(batch_size),
      sequence_length_(sequence_length),
      seed_(variation.random_offsets),
      doubled_from_(variation.doubled_from) {
  expect_positive("batch size", batch_size);
  expect_positive("sequence length", sequence_length);
  const std::size_t needed = product(batch_size, sequence_length);
  if (!fits(tokens.size(), batch_size, sequence_length)) {
    throw InputError("expected a text of at least " + std::to_string(needed) + " characters for one batch of " +
                     std::to_string(batch_size) + " x " + std::to_string(sequence_length) + ", found " +
                     std::to_string(tokens.size()) + "; use more text, a smaller batch size or shorter sequences");
  }
  windows_ = static_cast<std::int64_t>(tokens.size() / needed);
  row_length_ = windows_ * sequence_length;
  inputs_.resize(product(longest(), batch_size));
  targets_.resize(inputs_.size());
}

bool StreamBatcher::fits(std::size_t tokens, int batch_size, int sequence_length) {
  return tokens >= product(batch_size, sequence_length);
}

int StreamBatcher::longest() const {
  return doubled_from_ != StreamVariation::kNever && windows_ > 1 ? 2 * sequence_length_ : sequence_length_;
}

std::int64_t StreamBatcher::short_blocks(std::int64_t epoch) const {
  return doubled_from_ == StreamVariation::kNever
             ? windows_
             : std::clamp<std::int64_t>(doubled_from_ - epoch * windows_, 0, windows_);
}

std::int64_t StreamBatcher::blocks(std::int64_t epoch) {
  const std::int64_t first = short_blocks(epoch);
  return first + (windows_ - first + 1) / 2;
}

TokenBlock StreamBatcher::block(std::int64_t epoch, std::int64_t index) {
  const std::int64_t first = short_blocks(epoch);
  const std::int64_t window = index <= first ? index : first + 2 * (index - first);
  const std::int64_t windows = index < first ? 1 : std::min<std::int64_t>(2, windows_ - window);
  const auto T = static_cast<std::size_t>(windows * sequence_length_);
  const auto B = static_cast<std::size_t>(batch_size_);
  const auto row_length = static_cast<std::size_t>(row_length_);
  const std::size_t column = static_cast<std::size_t>(window * sequence_length_);
  if (seed_) {
    const RandomStream random(*seed_, RandomPurpose::offsets, static_cast<std::uint64_t>(epoch));
    const auto offset = static_cast<std::size_t>(random.uniform_double(0) * static_cast<double>(tokens_.size()));
    for (std::size_t b = 0; b < B; ++b) {
      std::size_t place = (offset + b * row_length + column) % tokens_.size();
      for (std::size_t t = 0; t < T; ++t) {
        inputs_[t * B + b] = tokens_[place];
        place = place + 1 < tokens_.size() ? place + 1 : 0;
        targets_[t * B + b] = tokens_[place];
      }
    }
  } else {
    for (std::size_t b = 0; b < B; ++b) {
      const std::span row = tokens_.subspan(b * row_length, row_length);
      for (std::size_t t = 0; t < T; ++t) {
        inputs_[t * B + b] = row[column + t];
        targets_[t * B + b] = row[column + t + 1 < row_length ? column + t + 1 : 0];
      }
    }
  }
  return {static_cast<int>(T), batch_size_, std::span(inputs_).first(T * B), std::span(targets_).first(T * B)};
}

std::int64_t doubled_from(const TrainOptions& options, std::size_t tokens) {
  const Period& doubling = options.sequence_doubling;
  if (doubling.value == 0) return StreamVariation::kNever;
  const double windows = std::floor(static_cast<double>(tokens) /
                                    static_cast<double>(product(options.batch_size, options.sequence_length)));
  return std::llround(doubling.value * (doubling.unit == Period::Unit::epochs ? windows : 1));
}

RowBatcher::RowBatcher(std::span<const std::int32_t> tokens, int batch_size, int sequence_length,
                       std::optional<std::uint64_t> random_lengths)
    : tokens_(tokens),
      batch_size_(batch_size),
      sequence_length_(sequence_length),
      longest_(sequence_length + (random_lengths ? kLongestAbove : 0)),
      seed_(random_lengths) {
  expect_positive("batch size", batch_size);
  expect_positive("sequence length", sequence_length);
  row_length_ = static_cast<std::int64_t>(tokens.size()) / batch_size;
  if (row_length_ < 2) {
    throw InputError("expected a text of at least " + std::to_string(product(2, batch_size)) + " characters for " +
                     std::to_string(batch_size) + " streams, found " + std::to_string(tokens.size()) +
                     "; use more text or a smaller batch size");
  }
  longest_ = static_cast<int>(std::min<std::int64_t>(longest_, row_length_ - 1));
  inputs_.resize(product(longest_, batch_size));
  targets_.resize(inputs_.size());
}

void RowBatcher::cut(std::int64_t epoch) {
  if (epoch == epoch_ || (epoch_ >= 0 && !seed_)) return;
  epoch_ = epoch;
  starts_.assign(1, 0);
  const std::int64_t targets = row_length_ - 1;
  const std::int64_t most = seed_ ? std::max<std::int64_t>(1, row_length_ / sequence_length_ - 1) : targets;
  const RandomStream random(seed_.value_or(0), RandomPurpose::lengths, static_cast<std::uint64_t>(epoch));
  for (std::uint64_t i = 0; starts_.back() < targets && static_cast<std::int64_t>(i) < most; ++i) {
    std::int64_t length = sequence_length_;
    if (seed_) {
      const double around = sequence_length_ * (random.uniform_double(2 * i) < kHalvedShare ? 0.5 : 1);
      const double drawn = around + kDeviation * random.normal(2 * i + 1);
      length = std::max<std::int64_t>(static_cast<std::int64_t>(std::trunc(drawn)), kShortest);
    }
    starts_.push_back(std::min(starts_.back() + std::min<std::int64_t>(length, longest_), targets));
  }
}

std::int64_t RowBatcher::blocks(std::int64_t epoch) {
  cut(epoch);
  return std::ssize(starts_) - 1;
}

TokenBlock RowBatcher::block(std::int64_t epoch, std::int64_t index) {
  cut(epoch);
  const auto B = static_cast<std::size_t>(batch_size_);
  const auto begin = static_cast<std::size_t>(starts_[static_cast<std::size_t>(index)]);
  const auto length = static_cast<std::size_t>(starts_[static_cast<std::size_t>(index) + 1]) - begin;
  for (std::size_t b = 0; b < B; ++b) {
    const std::int32_t* const row = tokens_.data() + b * static_cast<std::size_t>(row_length_) + begin;
    for (std::size_t t = 0; t < length; ++t) {
      inputs_[t * B + b] = row[t];
      targets_[t * B + b] = row[t + 1];
    }
  }
  return {static_cast<int>(length), batch_size_, std::span(inputs_).first(length * B),
          std::span(targets_).first(length * B)};
}

WholeTextBatcher::WholeTextBatcher(std::span<const std::int32_t> tokens, int sequence_length)
    : tokens_(tokens), sequence_length_(sequence_length) {
  expect_positive("sequence length", sequence_length);
  expect_two(tokens);
}

int WholeTextBatcher::longest() const {
  return static_cast<int>(std::min(static_cast<std::size_t>(sequence_length_), tokens_.size() - 1));
}

std::int64_t WholeTextBatcher::blocks(std::int64_t /*epoch*/) {
  return (static_cast<std::int64_t>(tokens_.size()) - 1 + sequence_length_ - 1) / sequence_length_;
}

TokenBlock WholeTextBatcher::block(std::int64_t /*epoch*/, std::int64_t index) {
  const std::size_t begin = static_cast<std::size_t>(index) * static_cast<std::size_t>(sequence_length_);
  const std::size_t length = std::min(static_cast<std::size_t>(sequence_length_), tokens_.size() - 1 - begin);
  return {static_cast<int>(length), 1, tokens_.subspan(begin, length), tokens_.subspan(begin + 1, length)};
}

}  // namespace rune::text
