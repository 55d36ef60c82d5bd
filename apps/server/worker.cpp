#include "server/worker.h"

#include <exception>
#include <utility>

#include <rune/error.h>

#include "server/error.h"

namespace rune::server {

Worker::Worker(std::size_t queue) : queue_(queue), thread_(&Worker::run, this) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
  for (const Task& task : waiting_) task.deferred.set(response_of(ApiError(503, "the server is shutting down")));
}

Reply Worker::answer(std::function<Response()> task) {
  const Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= queue_) {
      throw ApiError(503, "too many requests are waiting; try again in a moment", "", "queue_full");
    }
    waiting_.push_back({std::move(task), deferred});
  }
  work_.notify_one();
  return {.response = {}, .pending = deferred.pending()};
}

void Worker::run() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (task.deferred.abandoned()) continue;
    task.deferred.set(guarded([&] { return Reply{.response = task.run(), .pending = nullptr}; }).response);
  }
}

Reply guarded(const std::function<Reply()>& answer) {
  const auto as_reply = [](const ApiError& error) { return Reply{.response = response_of(error), .pending = nullptr}; };
  try {
    return answer();
  } catch (const ApiError& error) {
    return as_reply(error);
  } catch (const InputError& error) {
    return as_reply(ApiError(400, error.what()));
  } catch (const FileError& error) {
    return as_reply(ApiError(409, error.what()));
  } catch (const std::exception& error) {
    return as_reply(ApiError(500, error.what()));
  }
}

}  // namespace rune::server
