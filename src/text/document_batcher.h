#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/batcher.h"

namespace rune::text {

/// B streams of documents: each takes the next one, from a zero state, in the block after its last one's end. What
/// stands behind the end of a document in its last block is not counted. The first character of a document is expected
/// after the end symbol of the one before.
class DocumentBatcher final : public Batcher {
 public:
  /// `end`: the token that every document ends with; the last one may be cut short. Throws InputError if there are
  /// fewer than two tokens.
  DocumentBatcher(std::span<const std::int32_t> tokens, std::int32_t end, int batch_size, int sequence_length);

  [[nodiscard]] int batch_size() const override { return static_cast<int>(streams_.size()); }
  [[nodiscard]] int longest() const override { return sequence_length_; }
  [[nodiscard]] bool carries_state() const override { return true; }
  [[nodiscard]] std::int64_t blocks(std::int64_t /*epoch*/) override { return blocks_; }
  [[nodiscard]] TokenBlock block(std::int64_t epoch, std::int64_t index) override;

 private:
  struct Document {
    std::int64_t first_block;
    std::size_t begin, end;  // tokens
  };

  std::span<const std::int32_t> tokens_;
  int sequence_length_;
  std::vector<std::vector<Document>> streams_;
  std::int64_t blocks_ = 0;
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> targets_;
  std::vector<std::uint8_t> fresh_;
};

}  // namespace rune::text
