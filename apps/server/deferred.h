#pragma once

#include <memory>

#include "server/http.h"

namespace rune::server {

/// A whole response that another thread will give: the maker's end of it. Cheap to copy, thread-safe.
class Deferred {
 public:
  Deferred();

  /// The first response counts.
  void set(Response response) const;
  /// Whether the client has gone, so that nobody waits for it.
  [[nodiscard]] bool abandoned() const;
  /// The client's end; to be called once.
  [[nodiscard]] std::unique_ptr<Pending> pending() const;

 private:
  class Given;

  std::shared_ptr<Given> given_;
};

}  // namespace rune::server
