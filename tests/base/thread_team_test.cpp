#include "base/thread_team.h"

#include <gtest/gtest.h>
#include <rune/error.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rune {
namespace {

TEST(ThreadTeam, RunsTheFunctionOnceOnEveryThread) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadTeam team(threads);
    ASSERT_EQ(team.size(), threads);
    std::vector<int> calls(static_cast<std::size_t>(threads));
    std::vector<std::thread::id> ids(calls.size());
    team.run([&](int thread) {
      ++calls[static_cast<std::size_t>(thread)];
      ids[static_cast<std::size_t>(thread)] = std::this_thread::get_id();
    });
    EXPECT_EQ(calls, std::vector<int>(calls.size(), 1));
    EXPECT_EQ(ids[0], std::this_thread::get_id());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) EXPECT_NE(ids[i], ids[j]);
    }
  }
}

TEST(ThreadTeam, ZeroMeansTheProcessorsOfTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(ThreadTeam().size(), CPU_COUNT(&before));

  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const int size = ThreadTeam().size();
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(size, 1);
}

TEST(ThreadTeam, RefusesANegativeNumberOfThreads) { EXPECT_THROW(ThreadTeam(-1), InputError); }

TEST(ThreadTeam, ResultsOfARunAreSeenByTheNextOne) {
  ThreadTeam team(4, /*retreats=*/false);
  std::vector<std::int64_t> sums(4);
  for (int round = 0; round < 200; ++round) {
    team.run([&](int thread) { sums[static_cast<std::size_t>(thread)] += round; });
    team.run([&](int thread) {  // each thread now works on what another has written
      sums[static_cast<std::size_t>((thread + 1) % 4)] += thread;
    });
  }
  EXPECT_EQ(sums, (std::vector<std::int64_t>{19900 + 600, 19900, 19900 + 200, 19900 + 400}));
}

TEST(ThreadTeam, NobodyPassesABarrierBeforeAllHaveArrived) {
  for (const int threads : {1, 2, 7}) {  // 7: more than this machine may have processors
    ThreadTeam team(threads);
    constexpr int kRounds = 300;
    std::vector<int> progress(static_cast<std::size_t>(threads));
    std::atomic<int> violations{0};
    team.run([&](int thread) {
      for (int round = 1; round <= kRounds; ++round) {
        progress[static_cast<std::size_t>(thread)] = round;
        team.barrier();
        for (const int other : progress) {
          if (other != round) ++violations;
        }
        team.barrier();
      }
    });
    EXPECT_EQ(violations, 0);
  }
}

TEST(ThreadTeam, SleepingThreadsWakeUp) {
  ThreadTeam team(3);
  int late = 0;
  std::atomic<int> seen{0};
  team.run([&](int thread) {
    if (thread == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // far longer than anybody spins
      late = 5;
    }
    team.barrier();
    seen += late;
  });
  EXPECT_EQ(seen, 15);
}

// A thread that sleeps stands for one that gets no processor.
TEST(ThreadTeam, LeavesItsWorkToTheCallerWhileItsThreadsGetNoProcessor) {
  ThreadTeam team;
  if (team.size() == 1) GTEST_SKIP() << "there is one processor";
  std::set<int> active;
  const auto run_in_vain = [&](int thread) {
    if (thread == 0) active.insert(team.size());
    if (thread == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  const auto run_until = [&](int wanted, auto&& function) {
    active.clear();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!active.contains(wanted) && std::chrono::steady_clock::now() < end) team.run(function);
    return active.contains(wanted);
  };
  EXPECT_TRUE(run_until(team.size(), run_in_vain));
  EXPECT_TRUE(run_until(1, run_in_vain));
  EXPECT_TRUE(run_until(team.size(), [&](int thread) {  // it tries again, and all is well
    if (thread == 0) active.insert(team.size());
  }));

  ThreadTeam chosen(2, /*retreats=*/false);
  for (int i = 0; i < 5; ++i) {
    int threads = 0;
    chosen.run([&](int thread) {
      if (thread == 0) threads = chosen.size();
      if (thread == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    EXPECT_EQ(threads, 2);
  }
}

TEST(ThreadTeam, RethrowsTheErrorOfTheFirstThreadThatFailed) {
  ThreadTeam team(4);
  std::atomic<int> finished{0};
  try {
    team.run([&](int thread) {
      if (thread % 2 == 1) throw std::runtime_error("thread " + std::to_string(thread));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++finished;
    });
    FAIL() << "expected an exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "thread 1");
  }
  EXPECT_EQ(finished, 2);

  team.run([&](int) { ++finished; });  // the error is not kept
  EXPECT_EQ(finished, 6);
}

TEST(ThreadTeam, TeamsAreIndependent) {
  ThreadTeam outer(2);
  std::atomic<int> calls{0};
  outer.run([&](int) {
    ThreadTeam inner(2);
    inner.run([&](int) { ++calls; });
  });
  EXPECT_EQ(calls, 4);
}

TEST(ShareOf, CutsIntoAdjacentBalancedGrains) {
  std::mt19937_64 random;
  for (int i = 0; i < 1000; ++i) {
    const std::size_t count = random() % 10000 >> random() % 14;  // few items as often as many
    const int threads = 1 + static_cast<int>(random() % 69);
    const std::size_t grain = 1 + random() % 99;
    SCOPED_TRACE(std::to_string(count) + " items, " + std::to_string(threads) + " threads, grain " +
                 std::to_string(grain));
    std::size_t next = 0;
    std::size_t smallest = count;
    std::size_t largest = 0;
    for (int thread = 0; thread < threads; ++thread) {
      const Range range = share_of(count, thread, threads, grain);
      ASSERT_EQ(range.begin, next);
      ASSERT_LE(range.begin, range.end);
      ASSERT_TRUE(range.begin % grain == 0 || range.begin == count);
      next = range.end;
      smallest = std::min(smallest, range.end - range.begin);
      largest = std::max(largest, range.end - range.begin);
    }
    ASSERT_EQ(next, count);
    ASSERT_LT(largest, smallest + 2 * grain);
  }
}

}  // namespace
}  // namespace rune
