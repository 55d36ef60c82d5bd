#include "text/document_batcher.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "text/expect.h"

namespace rune::text {

DocumentBatcher::DocumentBatcher(std::span<const std::int32_t> tokens, std::int32_t end, int batch_size,
                                 int sequence_length)
    : tokens_(tokens), sequence_length_(sequence_length) {
  expect_positive("batch size", batch_size);
  expect_positive("sequence length", sequence_length);
  expect_two(tokens);
  const auto B = static_cast<std::size_t>(batch_size);
  const auto T = static_cast<std::size_t>(sequence_length);
  streams_.resize(B);
  inputs_.resize(T * B);
  targets_.resize(T * B);
  fresh_.resize(B);

  // Streams by the block in which they are free: the next document goes to the first of them.
  using Free = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Free, std::vector<Free>, std::greater<>> free;
  for (std::size_t stream = 0; stream < B; ++stream) free.emplace(0, stream);
  for (std::size_t begin = 0; begin + 1 < tokens.size();) {
    // From the end of the document before to its own.
    const auto last = std::ranges::find(tokens.begin() + static_cast<std::ptrdiff_t>(begin) + 1, tokens.end(), end);
    const std::size_t stop = std::min<std::size_t>(last - tokens.begin() + 1, tokens.size());
    const auto [block, stream] = free.top();
    free.pop();
    streams_[stream].push_back({block, begin, stop});
    const std::int64_t after = block + static_cast<std::int64_t>((stop - begin - 1 + T - 1) / T);
    free.emplace(after, stream);
    blocks_ = std::max(blocks_, after);
    begin = stop - 1;
  }
}

TokenBlock DocumentBatcher::block(std::int64_t /*epoch*/, std::int64_t index) {
  const std::size_t B = streams_.size();
  const auto T = static_cast<std::size_t>(sequence_length_);
  for (std::size_t b = 0; b < B; ++b) {
    const auto next = std::ranges::upper_bound(streams_[b], index, {}, &Document::first_block);
    const Document document = next == streams_[b].begin() ? Document{index, 0, 0} : *(next - 1);
    fresh_[b] = document.first_block == index ? 1 : 0;
    const std::size_t begin = document.begin + static_cast<std::size_t>(index - document.first_block) * T;
    for (std::size_t t = 0; t < T; ++t) {
      const bool present = begin + t + 1 < document.end;
      inputs_[t * B + b] = present ? tokens_[begin + t] : 0;
      targets_[t * B + b] = present ? tokens_[begin + t + 1] : kNotCounted;
    }
  }
  return {sequence_length_, static_cast<int>(B), inputs_, targets_, fresh_};
}

}  // namespace rune::text
