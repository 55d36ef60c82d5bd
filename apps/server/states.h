#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "server/engine.h"

namespace rune::server {

/// Snapshots that clients may go on from, under names that cannot be guessed. What has not been used for a time is
/// forgotten; so is, where there are too many or they are too large, what has not been used for the longest.
/// Thread-safe.
class States {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::chrono::seconds lifetime{600};  // since the last use
    std::size_t count = 1000;
    std::size_t bytes = std::size_t{64} << 20;
  };

  explicit States(const Options& options) : options_(options) {}

  /// The new state's name: "state-" and 32 hexadecimal digits.
  std::string keep(const std::shared_ptr<const model::Model>& model, std::shared_ptr<const Snapshot> snapshot,
                   Clock::time_point now = Clock::now());
  /// Null if there is none of that name, or none of that model.
  std::shared_ptr<const Snapshot> find(const std::string& name, const std::shared_ptr<const model::Model>& model,
                                       Clock::time_point now = Clock::now());

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const model::Model> model;
    std::shared_ptr<const Snapshot> snapshot;
    Clock::time_point used;
  };

  void forget(std::list<Entry>::iterator entry);
  void forget_old(Clock::time_point now);

  Options options_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the least recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_;
  std::size_t bytes_ = 0;
};

/// So many random bytes of the system, as hexadecimal digits.
std::string random_digits(std::size_t bytes);

}  // namespace rune::server
