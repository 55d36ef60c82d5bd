#pragma once

#include <gtest/gtest.h>

#include <future>

#include "server/http.h"

namespace rune::server {

/// The response that another thread gives to a request.
inline Response result_of(const Reply& reply) {
  std::promise<void> woken;
  reply.pending->wait([&] { woken.set_value(); });
  woken.get_future().wait();
  Response response;
  EXPECT_TRUE(reply.pending->take(response));
  return response;
}

}  // namespace rune::server
