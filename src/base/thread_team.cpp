#include "base/thread_team.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <rune/error.h>

namespace rune {
namespace {

constexpr std::size_t kCacheLine = 64;

int usable_processors() {
  cpu_set_t processors;
  if (sched_getaffinity(0, sizeof processors, &processors) == 0) return CPU_COUNT(&processors);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

}  // namespace

struct ThreadTeam::Shared {
  // About 0.2 ms: longer than one thread of a small model works alone between two things that they share, since a sleep
  // and a wake-up cost more (10 us instead: a step of one stream of GRU 2 x 100 takes 45 % longer). With more threads
  // than processors spinning only keeps the awaited thread from running.
  static constexpr int kSpins = 10'000;

  explicit Shared(int size_of_team)
      : size(size_of_team), spins(size <= usable_processors() ? kSpins : 0), errors(static_cast<std::size_t>(size)) {
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

  void await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) const {
    for (int i = 0; i < spins; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
    value.wait(old, std::memory_order_acquire);
  }

  void barrier() {
    const std::uint32_t current = phase.load(std::memory_order_relaxed);  // stays until this thread has arrived
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 < size) {
      await_change(phase, current);
      return;
    }
    arrived.store(0, std::memory_order_relaxed);
    phase.fetch_add(1);
    phase.notify_all();
  }

  void call_and_keep_error(int thread) noexcept {
    try {
      call(object, thread);
    } catch (...) {
      errors[static_cast<std::size_t>(thread)] = std::current_exception();
    }
  }

  void work(int thread) {
    for (std::uint32_t seen = 0;; ++seen) {
      await_change(generation, seen);
      if (stopping) return;
      call_and_keep_error(thread);
      barrier();
    }
  }

  const int size;
  const int spins;
  std::vector<std::exception_ptr> errors;  // by thread
  std::vector<std::thread> workers;        // threads 1 to size - 1

  // Written by the caller between runs; `generation` publishes them.
  void (*call)(void*, int) = nullptr;
  void* object = nullptr;
  bool stopping = false;

  alignas(kCacheLine) std::atomic<std::uint32_t> generation{0};  // number of runs started
  alignas(kCacheLine) std::atomic<std::uint32_t> phase{0};       // number of barriers passed
  alignas(kCacheLine) std::atomic<int> arrived{0};               // threads waiting at the barrier
};

ThreadTeam::ThreadTeam(int threads) {
  if (threads < 0) {
    throw InputError("expected a number of threads of at least 0 (0: one for each processor), found " +
                     std::to_string(threads));
  }
  shared_ = std::make_unique<Shared>(threads == 0 ? usable_processors() : threads);
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

int ThreadTeam::size() const { return shared_->size; }

void ThreadTeam::barrier() { shared_->barrier(); }

void ThreadTeam::run_erased(void (*call)(void*, int), void* object) {
  shared_->call = call;
  shared_->object = object;
  shared_->start();
  shared_->call_and_keep_error(0);
  shared_->barrier();

  std::exception_ptr first;
  for (std::exception_ptr& error : shared_->errors) {
    if (error && !first) first = error;
    error = nullptr;
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace rune
