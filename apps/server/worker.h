#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "server/deferred.h"
#include "server/http.h"

namespace rune::server {

/// A thread for what takes longer than the server's own may: reading files. What is asked of it waits in a queue of
/// bounded length. Thread-safe.
class Worker {
 public:
  explicit Worker(std::size_t queue = 64);
  /// Ends after the task under way.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The answer that a task will give; what it throws becomes one as well. Throws ApiError with status 503 if too many
  /// wait already.
  Reply answer(std::function<Response()> task);

 private:
  struct Task {
    std::function<Response()> run;
    Deferred deferred;
  };

  void run();

  std::size_t queue_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Task> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

/// What a function answers. What it throws becomes an answer: an ApiError as it says, an InputError 400, a FileError
/// 409, anything else 500.
Reply guarded(const std::function<Reply()>& answer);

}  // namespace rune::server
