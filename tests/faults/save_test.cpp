#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include "faults/system_calls.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"

namespace rune::train {
namespace {

using test::Fault;

// The same run again and again: stopped at step 4, resumed for the two steps, the report and the save that follow,
// while a system call fails.
class Save : public testing::Test {
 protected:
  static constexpr std::int64_t kBefore = 4;
  static constexpr std::int64_t kAfter = 6;

  void SetUp() override {
    start(folder_ / "whole", options()).run({});
    expected_ = result_of(folder_ / "whole");
    Trainer trainer = start(folder_ / "before", options());
    trainer.run(stop_after(trainer, kBefore));
  }
  void TearDown() override { test::inject({}); }

  static TrainOptions options() {
    TrainOptions options = train_options();
    options.on_divergence = OnDivergence::stop;
    return options;
  }

  // The message of what was thrown; nothing: it went well.
  std::optional<std::string> save_with(const Fault& fault) {
    fs::remove_all(run());
    fs::copy(folder_ / "before", run(), fs::copy_options::recursive);
    std::optional<std::string> error;
    {
      Trainer trainer = resume(run());
      test::inject(fault);
      try {
        trainer.run(stop_after(trainer, kAfter));
      } catch (const FileError& caught) {
        error = caught.what();
      }
      calls_ = test::calls_made();
      struck_ = test::struck_call();
      test::inject({});
    }
    return error;
  }

  // What is there is whole, and goes on to the end that it would have had.
  void expect_intact() {
    const auto found = newest_checkpoint(RunDirectory::open(run()));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->notice, "") << "the last one is whole";
    EXPECT_THAT(position_of(found->file).step, testing::AnyOf(kBefore, kAfter));
    EXPECT_EQ(resume(run()).run({}), Outcome::finished);
    EXPECT_TRUE(result_of(run()) == expected_);
    for (const auto& entry : fs::directory_iterator(run())) {
      EXPECT_FALSE(entry.path().filename().string().ends_with(".tmp")) << entry.path();
    }
  }

  int calls_in_a_save() {
    EXPECT_FALSE(save_with({}));
    EXPECT_GT(calls_, 20);
    return calls_;
  }

  [[nodiscard]] fs::path run() const { return folder_ / "run"; }

  test::TemporaryFolder folder_;
  Result expected_;
  int calls_ = 0;
  std::string struck_;
};

TEST_F(Save, AnyCallThatFailsIsToldAndLosesNothing) {
  const int calls = calls_in_a_save();
  for (const int error : {ENOSPC, EIO, EDQUOT}) {
    for (const bool for_ever : {false, true}) {
      for (int at = 1; at <= calls; ++at) {
        const auto message = save_with({.kind = Fault::Kind::error, .error = error, .at = at, .for_ever = for_ever});
        SCOPED_TRACE(struck_ + ", call " + std::to_string(at) + ", " + std::generic_category().message(error));
        // A file that was only read, and a directory, may fail to close.
        if (struck_ != "close" || for_ever) {
          ASSERT_TRUE(message);
        }
        if (message) {
          EXPECT_THAT(*message, testing::AllOf(testing::HasSubstr(run().string()),
                                               testing::HasSubstr(std::generic_category().message(error))));
        }
        expect_intact();
      }
    }
  }
}

TEST_F(Save, InterruptionsAreOvercomeOrTold) {
  const int calls = calls_in_a_save();
  for (const bool for_ever : {false, true}) {
    for (int at = 1; at <= calls; ++at) {
      const auto message = save_with({.kind = Fault::Kind::error, .error = EINTR, .at = at, .for_ever = for_ever});
      SCOPED_TRACE(struck_ + ", call " + std::to_string(at) + (for_ever ? ", for ever" : ""));
      if (!for_ever && (struck_ == "open" || struck_ == "write" || struck_ == "close")) {
        EXPECT_FALSE(message) << *message;
      }
      if (message) {
        EXPECT_THAT(*message, testing::HasSubstr("Interrupted system call"));
      }
      expect_intact();
    }
  }
}

TEST_F(Save, ShortWritesAreCompleted) {
  const int calls = calls_in_a_save();
  EXPECT_FALSE(save_with({.kind = Fault::Kind::short_write, .at = 1, .for_ever = true}));
  EXPECT_GT(calls_, calls);
  expect_intact();
}

TEST_F(Save, AProcessThatEndsAtAnyCallLosesNothing) {
  const int calls = calls_in_a_save();
  for (const auto kind : {Fault::Kind::exit_before, Fault::Kind::exit_after}) {
    for (int at = 1; at <= calls; ++at) {
      const pid_t child = fork();
      if (child == 0) {
        (void)save_with({.kind = kind, .at = at});
        _exit(1);
      }
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      SCOPED_TRACE("call " + std::to_string(at) + (kind == Fault::Kind::exit_before ? ", before" : ", after"));
      ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the fault has struck";
      expect_intact();
    }
  }
}

}  // namespace
}  // namespace rune::train
