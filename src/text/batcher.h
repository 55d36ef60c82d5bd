#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <rune/options.h>

#include "text/corpus.h"

namespace rune::text {

/// A block of tokens. Row-major (T, B): element t * batch_size + b. Borrowed from the batcher, valid until its next
/// call.
struct TokenBlock {
  int sequence_length = 0;                // T
  int batch_size = 0;                     // B
  std::span<const std::int32_t> inputs;   // (T, B)
  std::span<const std::int32_t> targets;  // (T, B); -1: not counted in the loss
  std::span<const std::uint8_t> fresh{};  // (B) 1: begins from a zero state; empty: none does but by the caller's doing
};

/// The target that is not counted: beside a window that the end of the text cuts short, or after a short record.
inline constexpr std::int32_t kNotCounted = -1;

/// Cuts tokens into the blocks of an epoch: a function of the tokens, the options and (epoch, index) alone, so that a
/// resumed run needs no state for it. The tokens must outlive it. Not thread-safe; `block` allocates nothing once an
/// epoch has begun.
class Batcher {
 public:
  virtual ~Batcher() = default;

  [[nodiscard]] virtual int batch_size() const = 0;
  /// T of the longest block there can be.
  [[nodiscard]] virtual int longest() const = 0;
  /// Whether row b of a block goes on in row b of the next one, so that its state is carried.
  [[nodiscard]] virtual bool carries_state() const = 0;
  /// Blocks in an epoch, at least 1. Epochs may differ.
  [[nodiscard]] virtual std::int64_t blocks(std::int64_t epoch) = 0;
  [[nodiscard]] virtual TokenBlock block(std::int64_t epoch, std::int64_t index) = 0;
};

/// The blocks that training sees. Throws InputError where text and options do not fit.
std::unique_ptr<Batcher> make_training_batcher(const Corpus& corpus, const TrainOptions& options);
/// What training keeps apart, in the same kind of batches and in a fixed order; null without validation.
std::unique_ptr<Batcher> make_validation_batcher(const Corpus& corpus, const TrainOptions& options);

}  // namespace rune::text
