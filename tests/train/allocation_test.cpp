#include <cstdint>
#include <new>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"

namespace rune::train {
namespace {

// What weights and files take. The JSON library ends the process when one of its small allocations fails, as its
// destructor allocates; for these the program keeps a reserve (apps/rune/main.cpp).
constexpr std::size_t kLeast = 4096;

TEST(FailingAllocations, AreErrorsWhileReading) {
  const test::TemporaryFolder folder;
  start(folder / "run", train_options()).run({});
  std::int64_t nth = 0;
  for (bool failed = true; failed;) {
    test::fail_allocation(++nth, kLeast);
    try {
      load_checkpoint(folder / "run/last.safetensors", train_options());
    } catch (const std::bad_alloc&) {}
    failed = test::allocation_failed();
    test::fail_allocation(0, 0);
  }
  EXPECT_GT(nth, 2);
}

TEST(FailingAllocations, LoseNothingWhileTraining) {
  const test::TemporaryFolder folder;
  const ModelOptions model{.cell = Cell::lstm, .layers = 2, .hidden_size = 40};  // more blocks of this size
  start(folder / "whole", train_options(), model).run({});
  const Result whole = result_of(folder / "whole");
  const fs::path run = folder / "run";
  int resumed = 0;
  std::int64_t nth = 0;
  for (bool failed = true; failed;) {
    fs::remove_all(run);
    test::fail_allocation(++nth, kLeast);
    try {
      start(run, train_options(), model).run({});
    } catch (const std::bad_alloc&) {}
    failed = test::allocation_failed();
    test::fail_allocation(0, 0);
    if (!fs::exists(run / "last.safetensors")) continue;
    resume(run).run({});
    EXPECT_EQ(result_of(run), whole) << nth;
    ++resumed;
  }
  EXPECT_GT(nth, 5);
  EXPECT_GT(resumed, 1);
}

}  // namespace
}  // namespace rune::train
