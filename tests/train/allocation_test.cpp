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
// destructor allocates; that is a crash like any other, which tests/faults and kill_test prove harmless.
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

}  // namespace
}  // namespace rune::train
