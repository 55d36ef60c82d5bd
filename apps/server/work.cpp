#include "server/work.h"

#include <utility>

namespace rune::server {

class Work::Answer : public Pending {
 public:
  explicit Answer(std::shared_ptr<Work> work) : work_(std::move(work)) {}
  ~Answer() override {
    const std::lock_guard lock(work_->mutex);
    work_->wanted_ = false;
    work_->wake_ = nullptr;
  }

  void wait(std::function<void()> wake) override {
    const std::lock_guard lock(work_->mutex);
    work_->wake_ = std::move(wake);
    work_->wake_if_ready();
  }
  bool take(Response& response) override {
    const std::lock_guard lock(work_->mutex);
    return work_->take(response);
  }

 private:
  std::shared_ptr<Work> work_;
};

std::unique_ptr<Pending> Work::pending(std::shared_ptr<Work> work) { return std::make_unique<Answer>(std::move(work)); }

bool Work::wanted() const {
  const std::lock_guard lock(mutex);
  return wanted_ && !failure_;
}

void Work::fail(const std::string& message) {
  const std::lock_guard lock(mutex);
  if (!failure_) failure_.emplace(500, message);
  wake_if_ready();
}

void Work::wake_if_ready() {
  if (!wake_ || !(failed() || ready())) return;
  std::exchange(wake_, nullptr)();
}

}  // namespace rune::server
