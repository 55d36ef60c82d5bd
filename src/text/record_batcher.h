#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/batcher.h"

namespace rune::text {

/// Whole records, B at a time: inputs are all their tokens but the last, targets all but the first. Records of similar
/// length share a block, which is as long as its longest; what is missing has input 0 and the target kNotCounted. With
/// a seed, records are shuffled in every epoch, sorted by length within every hundred blocks, and the blocks shuffled;
/// without, they are sorted by length.
class RecordBatcher final : public Batcher {
 public:
  /// `ends`: where each record ends in the tokens; it begins where the one before ends. Throws InputError if there is
  /// none of at least two tokens.
  RecordBatcher(std::span<const std::int32_t> tokens, std::span<const std::size_t> ends, int batch_size,
                std::optional<std::uint64_t> shuffle);

  [[nodiscard]] int batch_size() const override { return batch_size_; }
  [[nodiscard]] int longest() const override { return longest_; }
  [[nodiscard]] bool carries_state() const override { return false; }
  [[nodiscard]] std::int64_t blocks(std::int64_t epoch) override;
  [[nodiscard]] TokenBlock block(std::int64_t epoch, std::int64_t index) override;

 private:
  [[nodiscard]] std::span<const std::int32_t> record(std::int32_t number) const;
  void arrange(std::int64_t epoch);

  std::span<const std::int32_t> tokens_;
  std::span<const std::size_t> ends_;
  int batch_size_;
  int longest_ = 0;
  std::optional<std::uint64_t> seed_;
  std::int64_t epoch_ = -1;            // that the orders belong to
  std::vector<std::int32_t> records_;  // in the order of the blocks before those are shuffled
  std::vector<std::int32_t> block_order_;
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
};

}  // namespace rune::text
