#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace rune {

/// A persistent team of threads that all run the same function, the caller being thread 0.
///
/// Purpose: one hand-over for a whole training step, barriers inside it. Lifetime: the threads live as long as the
/// team. `run` is called from one thread at a time; it allocates nothing. A waiting thread spins briefly, then sleeps.
/// A team whose threads wait for processors that others use retreats: it leaves runs to the caller for a while.
/// An exception inside the function must not pass a barrier that others wait at; one thrown anywhere else is rethrown
/// by `run` after all threads have finished (the first by thread number).
class ThreadTeam {
 public:
  /// `threads` 0: one for each processor this process may use (its affinity mask). A team with more threads than these,
  /// or that does not retreat, is never smaller.
  explicit ThreadTeam(int threads = 0, bool retreats = true);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// Threads of the team; inside `run` those that share it: all, or the caller alone.
  [[nodiscard]] int size() const;

  /// Calls `function(thread)` on every thread, thread in [0, size()), and returns when all have returned.
  template <class Function>
  void run(Function&& function) {
    using Callable = std::remove_reference_t<Function>;
    run_erased([](void* object, int thread) { (*static_cast<Callable*>(object))(thread); },
               const_cast<void*>(static_cast<const void*>(std::addressof(function))));
  }

  /// Inside `run`: waits until every thread that shares it has arrived.
  void barrier();

 private:
  void run_erased(void (*call)(void*, int), void* object);

  struct Shared;
  std::unique_ptr<Shared> shared_;
};

/// The part [begin, end) of `count` items that belongs to `thread` of `threads`, in multiples of `grain`.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};
inline Range share_of(std::size_t count, int thread, int threads, std::size_t grain = 1) {
  const std::size_t blocks = (count + grain - 1) / grain;
  const auto t = static_cast<std::size_t>(thread);
  const auto n = static_cast<std::size_t>(threads);
  const auto clamp = [&](std::size_t block) { return block * grain < count ? block * grain : count; };
  return {clamp(blocks * t / n), clamp(blocks * (t + 1) / n)};
}

}  // namespace rune
