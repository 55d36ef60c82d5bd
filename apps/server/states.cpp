#include "server/states.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "rune/error.h"

namespace rune::server {

std::string random_digits(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(bytes)) {
    throw FileError("could not get random numbers: " + std::generic_category().message(errno));
  }
  std::string digits;
  for (const unsigned char byte : random) digits += fmt::format("{:02x}", byte);
  return digits;
}

std::string States::keep(const std::shared_ptr<const model::Model>& model, std::shared_ptr<const Snapshot> snapshot,
                         Clock::time_point now) {
  constexpr std::size_t kRandomBytes = 16;
  std::string name = "state-" + random_digits(kRandomBytes);
  const std::lock_guard lock(mutex_);
  bytes_ += snapshot->bytes();
  by_name_[name] = entries_.insert(entries_.end(), {name, model, std::move(snapshot), now});
  forget_old(now);
  return name;
}

std::shared_ptr<const Snapshot> States::find(const std::string& name, const std::shared_ptr<const model::Model>& model,
                                             Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || found->second->model != model) return nullptr;
  const auto entry = found->second;
  entry->used = now;
  entries_.splice(entries_.end(), entries_, entry);
  return entry->snapshot;
}

std::size_t States::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::size_t States::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void States::forget(std::list<Entry>::iterator entry) {
  bytes_ -= entry->snapshot->bytes();
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

void States::forget_old(Clock::time_point now) {
  while (!entries_.empty() && (entries_.front().used + options_.lifetime < now || entries_.size() > options_.count ||
                               bytes_ > options_.bytes)) {
    forget(entries_.begin());
  }
}

}  // namespace rune::server
