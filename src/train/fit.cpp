#include "train/fit.h"

#include <algorithm>
#include <cstdint>

#include "text/expect.h"

namespace rune::train {

TrainOptions fitted(const TrainOptions& options, const text::Corpus& corpus) {
  TrainOptions result = options;
  const auto size = std::ssize(corpus.train);
  const std::int64_t batch = options.batch_size;
  const std::int64_t length = options.sequence_length;
  if (options.batching == Batching::records) return result;
  text::expect_two(corpus.train);
  if (options.batching == Batching::windows) {
    if (size - 1 < length) result.sequence_length = static_cast<int>(size - 1);
    return result;
  }
  if (batch * length <= size && 2 * batch <= size) return result;
  constexpr std::int64_t kStreams = 4;  // at least, where the text is shorter than one of them
  const std::int64_t shorter = std::clamp<std::int64_t>(size / kStreams, 1, length);
  result.sequence_length = static_cast<int>(shorter);
  result.batch_size = static_cast<int>(std::clamp<std::int64_t>(size / std::max<std::int64_t>(shorter, 2), 1, batch));
  return result;
}

}  // namespace rune::train
