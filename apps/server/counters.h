#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace rune::server {

/// Counts answered requests, for Prometheus. Thread-safe.
class Counters {
 public:
  void count(std::string_view route, unsigned status, std::chrono::duration<double> time);
  /// In Prometheus' text format, version 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::array kBounds{0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0};  // seconds

  struct Times {
    std::array<std::uint64_t, kBounds.size()> at_most{};
    std::uint64_t count = 0;
    double sum = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, unsigned>, std::uint64_t> requests_;  // by route and status
  std::map<std::string, Times> times_;                                  // by route
};

/// A value of a kind, "counter" or "gauge", with its lines of help and type.
std::string metric_text(std::string_view name, std::string_view kind, std::string_view help, double value);

}  // namespace rune::server
