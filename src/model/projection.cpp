#include "model/projection.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rune::model {

using kernels::kPanel;
using kernels::plain_rows;
using kernels::Product;
using kernels::Rows;
using kernels::Start;

namespace {

constexpr float kNeverChosen = -1e30F;  // e^(this - anything a model says) is 0

}  // namespace

Projection::Projection(const ModelOptions& options, std::size_t vocabulary_size, Purpose purpose,
                       const kernels::Kernels& kernels)
    : kernels_(&kernels),
      hidden_(static_cast<std::size_t>(options.hidden_size)),
      vocabulary_size_(vocabulary_size),
      padded_(round_up(vocabulary_size, kPanel)),
      rows_(vocabulary_size),
      forward_(kernels, hidden_, padded_ / kPanel),
      bias_(1, padded_) {
  if (purpose == Purpose::training)
    backward_ = kernels::PackedMatrix(kernels, vocabulary_size, round_up(hidden_, kPanel) / kPanel);
  std::iota(rows_.begin(), rows_.end(), 0);
  for (std::size_t v = 0; v < vocabulary_size_; v += kPanel)
    blocks_.push_back({v, v, std::min(vocabulary_size_ - v, kPanel)});
}

void Projection::pack(const Parameters& parameters, int thread, int threads) {
  const std::span<const float> weight = parameters.values("fc.weight");
  const std::span<const float> bias = parameters.values("fc.bias");
  const Range forward = share_of(forward_.panels(), thread, threads);
  forward_.pack_transposed(weight.data(), hidden_, rows_, forward.begin, forward.end);
  const Range backward = share_of(backward_.panels(), thread, threads);
  backward_.pack_rows(weight.data(), hidden_, rows_, backward.begin, backward.end);
  if (thread == 0) {
    std::fill_n(bias_.data(), padded_, kNeverChosen);
    std::copy(bias.begin(), bias.end(), bias_.data());
  }
}

Product Projection::forward_product(const Rows<const float>& hidden, const Rows<float>& logits,
                                    std::size_t rows) const {
  return {.a = hidden,
          .rows = rows,
          .group_depth = hidden_,
          .b = forward_.from(0),
          .panels = forward_.panels(),
          .c = logits,
          .columns = {},
          .start = Start::bias,
          .bias = bias_.data()};
}

void Projection::loss(const LayerActivations& top, const std::int32_t* targets, std::size_t first, Range steps,
                      float scale, Matrix& logits, std::span<float> losses, Matrix* d_hidden,
                      const DropoutMask& dropout, const Share& share) const {
  const std::size_t at_once = share.steps_at_once();
  for (std::size_t done = steps.begin; done < steps.end; done += at_once) {
    const std::size_t now = std::min(at_once, steps.end - done);
    const std::size_t rows = now * share.size();
    // 1. logits = bias + hidden * W
    kernels_->multiply(forward_product(share.rows(top.output(), first + done + 1), share.rows(logits, done), rows));
    // 2. losses, and their gradients in place
    for (std::size_t t = done; t < done + now; ++t)
      for (std::size_t b = share.begin; b < share.end; ++b) {
        float* row = logits.row(t * share.batch_size + b);
        const std::size_t at = (first + t) * share.batch_size + b;
        if (targets[at] >= 0) {
          losses[at] = kernels_->cross_entropy(row, padded_, targets[at], scale);
        } else {
          losses[at] = 0;
          if (scale != 0) std::fill_n(row, padded_, 0.0F);
        }
      }
    // 3. d_hidden = dlogits * W^T, and the mask
    if (d_hidden == nullptr) continue;
    kernels_->multiply({.a = share.rows(std::as_const(logits), done),
                        .rows = rows,
                        .group_depth = vocabulary_size_,
                        .b = backward_.from(0),
                        .panels = backward_.panels(),
                        .c = share.rows(*d_hidden, first + done),
                        .columns = {},
                        .start = Start::zero});
    if (!dropout.active()) continue;
    for (std::size_t t = first + done; t < first + done + now; ++t) {
      const std::size_t row = t * share.batch_size + share.begin;
      dropout.apply(d_hidden->row(row), d_hidden->row(row), row, share.size(), d_hidden->cols());
    }
  }
}

void Projection::accumulate_gradients(const Matrix& d_logits, const float* hidden, std::size_t rows, bool add,
                                      Parameters& gradients, float* scratch, int thread, int threads) const {
  const Range mine = share_of(blocks_.size(), thread, threads);
  if (mine.begin == mine.end) return;
  kernels_->outer_product({.d = d_logits.data(),
                           .d_stride = padded_,
                           .x = hidden,
                           .x_stride = round_up(hidden_, kPanel),
                           .rows = rows,
                           .columns = hidden_,
                           .c = gradients.values("fc.weight").data(),
                           .column_sums = gradients.values("fc.bias").data(),
                           .add = add},
                          std::span(blocks_).subspan(mine.begin, mine.end - mine.begin), scratch);
}

void Projection::logits(const Matrix& hidden, Matrix& logits, int thread, int threads) const {
  Product product = forward_product(plain_rows(hidden.data(), hidden.cols()), plain_rows(logits.data(), logits.cols()),
                                    hidden.rows());
  const Range mine = share_of(product.panels, thread, threads);
  product.b = forward_.from(mine.begin);
  product.panels = mine.end - mine.begin;
  product.columns.first = mine.begin * kPanel;
  kernels_->multiply(product);
}

}  // namespace rune::model
