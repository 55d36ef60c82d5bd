#include "train/fit.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "text/batcher.h"

namespace rune::train {
namespace {

text::Corpus corpus_of(std::size_t size) {
  return text::Corpus::from_text(std::string(size, 'x'), {.validation_fraction = 0});
}

TEST(Fit, WhatFitsStays) {
  const TrainOptions options{.batch_size = 4, .sequence_length = 10};
  EXPECT_EQ(fitted(options, corpus_of(40)), options);
  EXPECT_NE(fitted(options, corpus_of(39)), options);
}

TEST(Fit, AShortTextKeepsSeveralStreams) {
  const TrainOptions options = fitted({}, corpus_of(1000));
  EXPECT_EQ(options.sequence_length, 100);
  EXPECT_EQ(options.batch_size, 10);
  EXPECT_EQ(fitted({}, corpus_of(100)).batch_size, 4);
}

RC_GTEST_PROP(Fit, AnyTextOfTwoCharactersMakesABatch, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(2, 3000);
  TrainOptions options;
  options.batching = *rc::gen::element(Batching::streams, Batching::windows);
  options.batch_size = *rc::gen::inRange(1, 100);
  options.sequence_length = *rc::gen::inRange(1, 200);
  if (options.batching == Batching::windows) {
    options.loss_on = *rc::gen::element(LossOn::all, LossOn::last);
  } else {
    options.sequence_lengths = *rc::gen::element(SequenceLengths::fixed, SequenceLengths::random);
  }
  const text::Corpus corpus = corpus_of(size);
  const TrainOptions fit = fitted(options, corpus);
  RC_ASSERT(fit.batch_size <= options.batch_size);
  RC_ASSERT(fit.sequence_length <= options.sequence_length);
  RC_ASSERT(text::make_training_batcher(corpus, fit)->blocks(0) >= 1);
}

}  // namespace
}  // namespace rune::train
