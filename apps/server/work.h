#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "server/error.h"
#include "server/http.h"

namespace rune::server {

/// What another thread does for a request: filled there, taken by the connection. Thread-safe.
class Work {
 public:
  Work() = default;
  virtual ~Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  /// The client's end of a work.
  static std::unique_ptr<Pending> pending(std::shared_ptr<Work> work);

  [[nodiscard]] bool wanted() const;
  void fail(const std::string& message);

 protected:
  // Called with the lock held.
  [[nodiscard]] virtual bool ready() const = 0;
  /// As Pending::take.
  [[nodiscard]] virtual bool take(Response& response) = 0;
  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  [[nodiscard]] const ApiError& failure() const {
    return *failure_;  // NOLINT(bugprone-unchecked-optional-access): asked where failed() says so
  }
  void wake_if_ready();

  mutable std::mutex mutex;

 private:
  class Answer;

  std::function<void()> wake_;
  std::optional<ApiError> failure_;
  bool wanted_ = true;
};

}  // namespace rune::server
