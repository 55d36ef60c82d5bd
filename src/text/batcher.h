#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rune::text {

/// A block of tokens. Row-major (T, B): element t * batch_size + b. Borrowed from the batcher, valid until its next
/// call.
struct TokenBlock {
  int sequence_length = 0;                // T
  int batch_size = 0;                     // B
  std::span<const std::int32_t> inputs;   // (T, B)
  std::span<const std::int32_t> targets;  // (T, B); -1: not counted in the loss
};

/// Cuts a text into B parallel streams, as system A does: the longest prefix that fills whole batches of B * T is
/// reshaped to B rows; windows of T columns are walked in order; targets are the inputs shifted by one, and the last
/// target of the last window wraps to its row's first character. The partial batch at the end is dropped.
/// The tokens must outlive it. Not thread-safe; `block` allocates nothing.
class StreamBatcher {
 public:
  /// Throws InputError if the tokens do not fill one batch, saying how many characters are needed.
  StreamBatcher(std::span<const std::int32_t> tokens, int batch_size, int sequence_length);

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }  // windows in one walk over the text
  [[nodiscard]] TokenBlock block(std::int64_t index);
  /// Whether a text fills at least one batch.
  static bool fits(std::size_t tokens, int batch_size, int sequence_length);

 private:
  std::span<const std::int32_t> tokens_;
  int batch_size_;
  int sequence_length_;
  std::int64_t blocks_;
  std::int64_t row_length_;  // blocks * T
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

/// One stream over the whole text: inputs are all characters but the last, targets all but the first, in blocks of at
/// most T; the last block is shorter. Batch size 1. The tokens must outlive it.
class WholeTextBatcher {
 public:
  /// Throws InputError if there are fewer than two tokens.
  WholeTextBatcher(std::span<const std::int32_t> tokens, int sequence_length);
  [[nodiscard]] std::int64_t blocks() const;
  [[nodiscard]] TokenBlock block(std::int64_t index) const;

 private:
  std::span<const std::int32_t> tokens_;
  int sequence_length_;
};

/// Independent windows: window i has inputs tokens[i*T, i*T+T) and targets one further; the last window may be
/// shorter: its missing positions have input 0 and target -1, and so do the missing windows of the last block.
/// Every character but the first is a target exactly once. Every block has `batch_size` windows. The tokens must
/// outlive it.
class WindowBatcher {
 public:
  /// Throws InputError if there are fewer than two tokens.
  WindowBatcher(std::span<const std::int32_t> tokens, int window, int batch_size);
  [[nodiscard]] std::int64_t blocks() const;
  [[nodiscard]] TokenBlock block(std::int64_t index);

 private:
  std::span<const std::int32_t> tokens_;
  int window_;
  int batch_size_;
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

}  // namespace rune::text
