#include "base/thread_team.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <rune/error.h>

namespace rune {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCacheLine = 64;

int usable_processors() {
  cpu_set_t processors;
  if (sched_getaffinity(0, sizeof processors, &processors) == 0) return CPU_COUNT(&processors);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// What all threads of this process have had of the processors.
std::chrono::nanoseconds process_time() {
  timespec time{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

}  // namespace

/// When a team leaves its work to the calling thread, since other programs have its processors.
///
/// A thread that waits for one that gets no processor waits for milliseconds, and that at every barrier, whether it
/// spins or sleeps. So a team that has waited for half of its time while none of its threads was running works alone
/// for a while, then tries again, and works alone twice as long if it finds the same.
class Retreat {
 public:
  /// By any thread that has slept although nothing of the team was running.
  void slept_in_vain(Clock::duration time) { in_vain_.fetch_add(time.count(), std::memory_order_relaxed); }

  [[nodiscard]] bool lasts(Clock::time_point now) const { return now < end_; }

  /// After a run of all threads.
  void judge(Clock::time_point began, Clock::time_point ended) {
    judged_ += ended - began;
    if (judged_ < kJudged) return;
    const Clock::duration in_vain(in_vain_.exchange(0, std::memory_order_relaxed));
    if (in_vain > judged_ / 2) {
      end_ = ended + length_;
      length_ = std::min(2 * length_, kLongest);
    } else {
      length_ = std::max(length_ / 2, kShortest);
    }
    judged_ = {};
  }

 private:
  static constexpr Clock::duration kJudged = std::chrono::milliseconds(2);  // of runs, at least
  static constexpr Clock::duration kShortest = std::chrono::milliseconds(10);
  static constexpr Clock::duration kLongest = std::chrono::seconds(1);

  std::atomic<Clock::rep> in_vain_{0};
  Clock::duration judged_{};
  Clock::duration length_ = kShortest;  // of the next retreat
  Clock::time_point end_{};             // of the last one
};

struct ThreadTeam::Shared {
  // About 0.2 ms: longer than one thread of a small model works alone between two things that they share, since a sleep
  // and a wake-up cost more (10 us instead: a step of one stream of GRU 2 x 100 takes 45 % longer). With more threads
  // than processors spinning only keeps the awaited thread from running.
  static constexpr int kSpins = 10'000;

  Shared(int threads, bool retreats_if_busy)
      : size(threads == 0 ? usable_processors() : threads),
        spins(size <= usable_processors() ? kSpins : 0),
        retreats(retreats_if_busy && spins > 0),
        errors(static_cast<std::size_t>(size)) {
    workers.reserve(static_cast<std::size_t>(size) - 1);
  }

  // Here and not in ~ThreadTeam, so that it also runs when the system refuses one of the threads.
  ~Shared() {
    stopping = true;
    start();
    for (std::thread& worker : workers) worker.join();
  }

  void start() {
    generation.fetch_add(1);
    generation.notify_all();
  }

  /// Spins; whether the value has changed meanwhile.
  [[nodiscard]] bool changes_soon(const std::atomic<std::uint32_t>& value, std::uint32_t old) const {
    for (int i = 0; i < spins; ++i) {
      if (value.load(std::memory_order_acquire) != old) return true;
      pause();
    }
    return value.load(std::memory_order_acquire) != old;
  }

  void await_run(std::uint32_t seen) const {
    if (!changes_soon(generation, seen)) generation.wait(seen, std::memory_order_acquire);
  }

  void barrier() {
    const std::uint32_t current = phase.load(std::memory_order_relaxed);  // stays until this thread has arrived
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 < size) {
      if (!changes_soon(phase, current)) sleep_until_all_arrive(current);
      return;
    }
    arrived.store(0, std::memory_order_relaxed);
    phase.fetch_add(1);
    phase.notify_all();
  }

  void sleep_until_all_arrive(std::uint32_t current) {
    if (!retreats) return phase.wait(current, std::memory_order_acquire);
    constexpr auto kShort = std::chrono::microseconds(500);  // also a thread that runs takes some time to wake another
    const auto fell_asleep = Clock::now();
    const auto processor_time = process_time();
    phase.wait(current, std::memory_order_acquire);
    const auto slept = Clock::now() - fell_asleep;
    if (slept > kShort && process_time() - processor_time < slept / 2)
      retreat.slept_in_vain(slept / (size - 1));  // all others may have
  }

  void call_and_keep_error(int thread) noexcept {
    try {
      call(object, thread);
    } catch (...) {
      errors[static_cast<std::size_t>(thread)] = std::current_exception();
    }
  }

  void rethrow_first_error() {
    std::exception_ptr first;
    for (std::exception_ptr& error : errors) {
      if (error && !first) first = error;
      error = nullptr;
    }
    if (first) std::rethrow_exception(first);
  }

  void work(int thread) {
    for (std::uint32_t seen = 0;; ++seen) {
      await_run(seen);
      if (stopping) return;
      call_and_keep_error(thread);
      barrier();
    }
  }

  const int size;
  const int spins;
  const bool retreats;
  Retreat retreat;
  std::vector<std::exception_ptr> errors;  // by thread
  std::vector<std::thread> workers;        // threads 1 to size - 1

  // Written by the caller between runs; `generation` publishes them.
  void (*call)(void*, int) = nullptr;
  void* object = nullptr;
  int active = size;  // threads of the present run
  bool stopping = false;

  alignas(kCacheLine) std::atomic<std::uint32_t> generation{0};  // number of runs started
  alignas(kCacheLine) std::atomic<std::uint32_t> phase{0};       // number of barriers passed
  alignas(kCacheLine) std::atomic<int> arrived{0};               // threads waiting at the barrier
};

ThreadTeam::ThreadTeam(int threads, bool retreats) {
  if (threads < 0) {
    throw InputError("expected a number of threads of at least 0 (0: one for each processor), found " +
                     std::to_string(threads));
  }
  shared_ = std::make_unique<Shared>(threads, retreats);
  for (int thread = 1; thread < size(); ++thread) {
    try {
      shared_->workers.emplace_back(&Shared::work, shared_.get(), thread);
    } catch (const std::system_error& error) {
      throw InputError("could not start thread " + std::to_string(thread + 1) + " of " + std::to_string(size()) + ": " +
                       error.code().message() + "; use fewer threads");
    }
  }
}

ThreadTeam::~ThreadTeam() = default;

int ThreadTeam::size() const { return shared_->active; }

void ThreadTeam::barrier() {
  if (shared_->active > 1) shared_->barrier();
}

void ThreadTeam::run_erased(void (*call)(void*, int), void* object) {
  const auto began = Clock::now();
  shared_->call = call;
  shared_->object = object;
  if (shared_->size == 1 || shared_->retreat.lasts(began)) {
    shared_->active = 1;
    shared_->call_and_keep_error(0);
    shared_->active = shared_->size;
  } else {
    shared_->start();
    shared_->call_and_keep_error(0);
    shared_->barrier();
    if (shared_->retreats) shared_->retreat.judge(began, Clock::now());
  }
  shared_->rethrow_first_error();
}

}  // namespace rune
