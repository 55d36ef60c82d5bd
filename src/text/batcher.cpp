#include "text/batcher.h"

#include <algorithm>
#include <string>

#include <rune/error.h>

namespace rune::text {
namespace {

constexpr std::int32_t kNotCounted = -1;

void expect_positive(const char* what, int value) {
  if (value < 1) {
    throw InputError("expected a " + std::string(what) + " of at least 1, found " + std::to_string(value));
  }
}

void expect_two(std::span<const std::int32_t> tokens) {
  if (tokens.size() < 2) {
    throw InputError("expected a text of at least 2 characters, found " + std::to_string(tokens.size()));
  }
}

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

/// How many pieces of `size` cover all targets, which are all tokens but the first.
std::int64_t pieces(std::span<const std::int32_t> tokens, int size) {
  return (static_cast<std::int64_t>(tokens.size()) - 1 + size - 1) / size;
}

}  // namespace

StreamBatcher::StreamBatcher(std::span<const std::int32_t> tokens, int batch_size, int sequence_length)
    : tokens_(tokens), batch_size_(batch_size), sequence_length_(sequence_length) {
  expect_positive("batch size", batch_size);
  expect_positive("sequence length", sequence_length);
  const std::size_t needed = product(batch_size, sequence_length);
  if (!fits(tokens.size(), batch_size, sequence_length)) {
    throw InputError("expected a text of at least " + std::to_string(needed) + " characters for one batch of " +
                     std::to_string(batch_size) + " x " + std::to_string(sequence_length) + ", found " +
                     std::to_string(tokens.size()) + "; use more text, a smaller batch size or shorter sequences");
  }
  blocks_ = static_cast<std::int64_t>(tokens.size() / needed);
  row_length_ = blocks_ * sequence_length;
  inputs_.resize(needed);
  targets_.resize(needed);
}

bool StreamBatcher::fits(std::size_t tokens, int batch_size, int sequence_length) {
  return tokens >= product(batch_size, sequence_length);
}

TokenBlock StreamBatcher::block(std::int64_t index) {
  const auto T = static_cast<std::size_t>(sequence_length_);
  const auto B = static_cast<std::size_t>(batch_size_);
  const auto row_length = static_cast<std::size_t>(row_length_);
  const std::size_t column = static_cast<std::size_t>(index) * T;
  for (std::size_t b = 0; b < B; ++b) {
    const std::span row = tokens_.subspan(b * row_length, row_length);
    for (std::size_t t = 0; t < T; ++t) {
      inputs_[t * B + b] = row[column + t];
      targets_[t * B + b] = row[column + t + 1 < row_length ? column + t + 1 : 0];
    }
  }
  return {sequence_length_, batch_size_, inputs_, targets_};
}

WholeTextBatcher::WholeTextBatcher(std::span<const std::int32_t> tokens, int sequence_length)
    : tokens_(tokens), sequence_length_(sequence_length) {
  expect_positive("sequence length", sequence_length);
  expect_two(tokens);
}

std::int64_t WholeTextBatcher::blocks() const { return pieces(tokens_, sequence_length_); }

TokenBlock WholeTextBatcher::block(std::int64_t index) const {
  const std::size_t begin = static_cast<std::size_t>(index) * static_cast<std::size_t>(sequence_length_);
  const std::size_t length = std::min(static_cast<std::size_t>(sequence_length_), tokens_.size() - 1 - begin);
  return {static_cast<int>(length), 1, tokens_.subspan(begin, length), tokens_.subspan(begin + 1, length)};
}

WindowBatcher::WindowBatcher(std::span<const std::int32_t> tokens, int window, int batch_size)
    : tokens_(tokens), window_(window), batch_size_(batch_size) {
  expect_positive("window", window);
  expect_positive("batch size", batch_size);
  expect_two(tokens);
  inputs_.resize(product(window, batch_size));
  targets_.resize(inputs_.size());
}

std::int64_t WindowBatcher::blocks() const { return (pieces(tokens_, window_) + batch_size_ - 1) / batch_size_; }

TokenBlock WindowBatcher::block(std::int64_t index) {
  const auto T = static_cast<std::size_t>(window_);
  const auto B = static_cast<std::size_t>(batch_size_);
  for (std::size_t b = 0; b < B; ++b) {
    const std::size_t begin = (static_cast<std::size_t>(index) * B + b) * T;
    for (std::size_t t = 0; t < T; ++t) {
      const bool present = begin + t + 1 < tokens_.size();
      inputs_[t * B + b] = present ? tokens_[begin + t] : 0;
      targets_[t * B + b] = present ? tokens_[begin + t + 1] : kNotCounted;
    }
  }
  return {window_, batch_size_, inputs_, targets_};
}

}  // namespace rune::text
