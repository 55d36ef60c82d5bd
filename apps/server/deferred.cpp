#include "server/deferred.h"

#include <utility>

namespace rune::server {

class Deferred::Waiting : public Pending {
 public:
  explicit Waiting(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~Waiting() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->abandoned = true;
    shared_->wake = nullptr;
  }

  void wait(std::function<void()> wake) override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->response) {
      wake();
    } else {
      shared_->wake = std::move(wake);
    }
  }

  bool take(Response& response) override {
    const std::lock_guard lock(shared_->mutex);
    auto& given = shared_->response;
    if (!given) return false;
    response = std::move(*given);
    return true;
  }

 private:
  std::shared_ptr<Shared> shared_;
};

void Deferred::set(Response response) const {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->response) return;
  shared_->response = std::move(response);
  if (const auto wake = std::exchange(shared_->wake, nullptr)) wake();
}

bool Deferred::abandoned() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->abandoned;
}

std::unique_ptr<Pending> Deferred::pending() const { return std::make_unique<Waiting>(shared_); }

}  // namespace rune::server
