#include "server/deferred.h"

#include <optional>
#include <utility>

#include "server/work.h"

namespace rune::server {

class Deferred::Given : public Work {
 public:
  void set(Response response) {
    const std::lock_guard lock(mutex);
    if (response_) return;
    response_ = std::move(response);
    wake_if_ready();
  }

 private:
  [[nodiscard]] bool ready() const override { return response_.has_value(); }
  [[nodiscard]] bool take(Response& response) override {
    if (!response_) return false;
    response = std::move(*response_);
    return true;
  }

  std::optional<Response> response_;
};

Deferred::Deferred() : given_(std::make_shared<Given>()) {}

void Deferred::set(Response response) const { given_->set(std::move(response)); }
bool Deferred::abandoned() const { return !given_->wanted(); }
std::unique_ptr<Pending> Deferred::pending() const { return Work::pending(given_); }

}  // namespace rune::server
