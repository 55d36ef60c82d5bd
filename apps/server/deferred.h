#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "server/http.h"

namespace rune::server {

/// A whole response that another thread will give: the maker's end of it. Cheap to copy, thread-safe.
class Deferred {
 public:
  Deferred() : shared_(std::make_shared<Shared>()) {}

  /// The first response counts.
  void set(Response response) const;
  /// Whether the client has gone, so that nobody waits for it.
  [[nodiscard]] bool abandoned() const;
  /// The client's end; to be called once.
  [[nodiscard]] std::unique_ptr<Pending> pending() const;

 private:
  struct Shared {
    std::mutex mutex;
    std::optional<Response> response;
    std::function<void()> wake;
    bool abandoned = false;
  };
  class Waiting;

  std::shared_ptr<Shared> shared_;
};

}  // namespace rune::server
