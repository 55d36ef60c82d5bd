#include "server/worker.h"

#include <gtest/gtest.h>
#include <rune/error.h>

#include <future>
#include <new>
#include <optional>
#include <utility>

#include "server/error.h"
#include "server/result_of.h"

namespace rune::server {
namespace {

TEST(WorkerTest, AnswersWithWhatATaskReturnsOrThrows) {
  Worker worker;
  EXPECT_EQ(result_of(worker.answer([] { return Response{.body = "done"}; })).body, "done");
  EXPECT_EQ(result_of(worker.answer([]() -> Response { throw ApiError(418, "teapot"); })).status, 418U);
  EXPECT_EQ(result_of(worker.answer([]() -> Response { throw InputError("wrong"); })).status, 400U);
  EXPECT_EQ(result_of(worker.answer([]() -> Response { throw FileError("busy"); })).status, 409U);
  EXPECT_EQ(result_of(worker.answer([]() -> Response { throw std::bad_alloc(); })).status, 500U);
}

TEST(WorkerTest, HasABoundedQueueAndForgetsWhoLeft) {
  std::promise<void> go;
  bool ran = false;
  {
    Worker worker(1);
    Reply blocking = worker.answer([future = go.get_future().share()] {
      future.wait();
      return Response{};
    });
    std::optional<Reply> waiting;
    while (!waiting) {  // until the first has left the queue
      try {
        waiting = worker.answer([&] {
          ran = true;
          return Response{};
        });
      } catch (const ApiError&) {}
    }
    EXPECT_THROW(static_cast<void>(worker.answer([] { return Response{}; })), ApiError);
    waiting.reset();
    go.set_value();
    result_of(std::move(blocking));
    while (true) {
      try {
        result_of(worker.answer([] { return Response{}; }));
        break;
      } catch (const ApiError&) {}
    }
  }
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace rune::server
