#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <rune/options.h>

#include "text/batcher.h"

/// Batchers of streams that go on from block to block.
namespace rune::text {

/// How the walk over parallel streams varies.
struct StreamVariation {
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  std::optional<std::uint64_t> random_offsets{};  // their seed
  std::int64_t doubled_from = kNever;             // a block, counted over all epochs
};

/// The block from which sequences are twice as long, for a training on so many tokens.
std::int64_t doubled_from(const TrainOptions& options, std::size_t tokens);

/// Cuts a text into B parallel streams, as system A does: the longest prefix that fills whole batches of B * T is
/// reshaped to B rows; windows of T columns are walked in order; targets are the inputs shifted by one, and the last
/// target of the last window wraps to its row's first character. The partial batch at the end is dropped.
///
/// With random offsets the text is a ring, and each epoch's rows begin at another place of it; the target of each
/// character is then the next one of the ring, and what is left out is elsewhere each time. With a doubling, windows
/// have 2 * T columns from a block on, the last one of an epoch what is left.
class StreamBatcher final : public Batcher {
 public:
  /// Throws InputError if the tokens do not fill one batch, saying how many characters are needed.
  StreamBatcher(std::span<const std::int32_t> tokens, int batch_size, int sequence_length,
                const StreamVariation& variation = {});

  [[nodiscard]] int batch_size() const override { return batch_size_; }
  [[nodiscard]] int longest() const override;
  [[nodiscard]] bool carries_state() const override { return true; }
  [[nodiscard]] std::int64_t blocks(std::int64_t epoch) override;
  [[nodiscard]] TokenBlock block(std::int64_t epoch, std::int64_t index) override;
  /// Whether a text fills at least one batch.
  static bool fits(std::size_t tokens, int batch_size, int sequence_length);

 private:
  /// Blocks of T columns at the start of an epoch; those after them have 2 * T.
  [[nodiscard]] std::int64_t short_blocks(std::int64_t epoch) const;

  std::span<const std::int32_t> tokens_;
  int batch_size_;
  int sequence_length_;
  std::int64_t windows_;     // of T columns in a row
  std::int64_t row_length_;  // windows * T
  std::optional<std::uint64_t> seed_;
  std::int64_t doubled_from_;  // block, counted over all epochs
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

/// B rows of floor(n / B) characters side by side; all but the first character of a row are targets. With a seed the
/// length of each block is drawn anew (Merity et al., arXiv 1708.02182): around T with a deviation of 5, in one of 20
/// around T / 2, at least 5; an epoch ends with the rows, or after floor(row / T) - 1 blocks.
class RowBatcher final : public Batcher {
 public:
  /// Throws InputError if a row has fewer than two characters.
  RowBatcher(std::span<const std::int32_t> tokens, int batch_size, int sequence_length,
             std::optional<std::uint64_t> random_lengths);

  [[nodiscard]] int batch_size() const override { return batch_size_; }
  [[nodiscard]] int longest() const override { return longest_; }
  [[nodiscard]] bool carries_state() const override { return true; }
  [[nodiscard]] std::int64_t blocks(std::int64_t epoch) override;
  [[nodiscard]] TokenBlock block(std::int64_t epoch, std::int64_t index) override;

 private:
  void cut(std::int64_t epoch);

  std::span<const std::int32_t> tokens_;
  int batch_size_;
  int sequence_length_;
  int longest_;
  std::optional<std::uint64_t> seed_;
  std::int64_t row_length_ = 0;
  std::int64_t epoch_ = -1;             // that starts_ belong to
  std::vector<std::int64_t> starts_{};  // columns at which blocks start, and the end of the last one
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

/// One stream over the whole text: inputs are all characters but the last, targets all but the first, in blocks of at
/// most T; the last block is shorter. Batch size 1.
class WholeTextBatcher final : public Batcher {
 public:
  /// Throws InputError if there are fewer than two tokens.
  WholeTextBatcher(std::span<const std::int32_t> tokens, int sequence_length);

  [[nodiscard]] int batch_size() const override { return 1; }
  [[nodiscard]] int longest() const override;
  [[nodiscard]] bool carries_state() const override { return true; }
  [[nodiscard]] std::int64_t blocks(std::int64_t epoch) override;
  [[nodiscard]] TokenBlock block(std::int64_t epoch, std::int64_t index) override;

 private:
  std::span<const std::int32_t> tokens_;
  int sequence_length_;
};

}  // namespace rune::text
