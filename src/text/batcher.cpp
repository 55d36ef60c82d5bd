#include "text/batcher.h"

#include <optional>
#include <utility>

#include "text/document_batcher.h"
#include "text/record_batcher.h"
#include "text/stream_batchers.h"
#include "text/window_batcher.h"

namespace rune::text {
namespace {

WindowLayout window_layout(const TrainOptions& options) {
  return {.window = options.sequence_length,
          .stride = options.stride > 0 ? options.stride : options.sequence_length,
          .loss_on = options.loss_on,
          .partial = options.partial_window};
}

std::optional<std::uint64_t> shuffle_seed(const TrainOptions& options) {
  return options.shuffle ? std::optional(options.seed) : std::nullopt;
}

std::unique_ptr<Batcher> document_batcher(std::span<const std::int32_t> tokens, const Corpus& corpus,
                                          const TrainOptions& options) {
  return std::make_unique<DocumentBatcher>(tokens, corpus.vocabulary.token(Symbol::end), options.batch_size,
                                           options.sequence_length);
}

}  // namespace

std::unique_ptr<Batcher> make_training_batcher(const Corpus& corpus, const TrainOptions& options) {
  switch (options.batching) {
    case Batching::streams:
      if (options.reset_state == ResetState::document) return document_batcher(corpus.train, corpus, options);
      if (options.sequence_lengths == SequenceLengths::random) {
        return std::make_unique<RowBatcher>(corpus.train, options.batch_size, options.sequence_length, options.seed);
      }
      return std::make_unique<StreamBatcher>(
          corpus.train, options.batch_size, options.sequence_length,
          StreamVariation{.random_offsets = options.random_offsets ? std::optional(options.seed) : std::nullopt,
                          .doubled_from = doubled_from(options, corpus.train.size())});
    case Batching::windows: {
      const WindowLayout layout = window_layout(options);
      WindowSplit split = split_windows(layout.count(corpus.train.size()), corpus.options);
      return std::make_unique<WindowBatcher>(corpus.train, layout, options.batch_size, std::move(split.train),
                                             shuffle_seed(options));
    }
    case Batching::records:
      break;
  }
  return std::make_unique<RecordBatcher>(corpus.train, corpus.train_ends, options.batch_size, shuffle_seed(options));
}

std::unique_ptr<Batcher> make_validation_batcher(const Corpus& corpus, const TrainOptions& options) {
  if (options.batching == Batching::windows && splits_windows(corpus.options) && corpus.validation.empty()) {
    const WindowLayout layout = window_layout(options);
    WindowSplit split = split_windows(layout.count(corpus.train.size()), corpus.options);
    if (split.validation.empty()) return nullptr;
    return std::make_unique<WindowBatcher>(corpus.train, layout, options.batch_size, std::move(split.validation),
                                           std::nullopt);
  }
  if (corpus.validation.empty()) return nullptr;
  switch (options.batching) {
    case Batching::streams:
      if (options.reset_state == ResetState::document) return document_batcher(corpus.validation, corpus, options);
      return std::make_unique<RowBatcher>(corpus.validation, options.batch_size, options.sequence_length, std::nullopt);
    case Batching::windows: {
      const WindowLayout layout = window_layout(options);
      WindowSplit split = split_windows(layout.count(corpus.validation.size()), {});
      return std::make_unique<WindowBatcher>(corpus.validation, layout, options.batch_size, std::move(split.train),
                                             std::nullopt);
    }
    case Batching::records:
      break;
  }
  return std::make_unique<RecordBatcher>(corpus.validation, corpus.validation_ends, options.batch_size, std::nullopt);
}

}  // namespace rune::text
