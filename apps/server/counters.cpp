#include "server/counters.h"

#include <cstddef>

#include <fmt/format.h>

namespace rune::server {
namespace {

std::string head(std::string_view name, std::string_view kind, std::string_view help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, kind);
}

}  // namespace

void Counters::count(std::string_view route, unsigned status, std::chrono::duration<double> time) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status}];
  Times& times = times_[std::string(route)];
  ++times.count;
  times.sum += time.count();
  for (std::size_t i = 0; i < kBounds.size(); ++i) times.at_most[i] += time.count() <= kBounds[i] ? 1 : 0;
}

std::string Counters::text() const {
  const std::lock_guard lock(mutex_);
  std::string text = head("rune_requests_total", "counter", "Requests answered; status 499: the client had gone.");
  for (const auto& [labels, count] : requests_) {
    text += fmt::format("rune_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", labels.first, labels.second, count);
  }
  text += head("rune_request_seconds", "histogram", "From the end of a request's headers to that of its answer.");
  for (const auto& [route, times] : times_) {
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      text += fmt::format("rune_request_seconds_bucket{{route=\"{}\",le=\"{}\"}} {}\n", route, kBounds[i],
                          times.at_most[i]);
    }
    text += fmt::format(
        "rune_request_seconds_bucket{{route=\"{0}\",le=\"+Inf\"}} {1}\n"
        "rune_request_seconds_sum{{route=\"{0}\"}} {2}\nrune_request_seconds_count{{route=\"{0}\"}} {1}\n",
        route, times.count, times.sum);
  }
  return text;
}

std::string metric_text(std::string_view name, std::string_view kind, std::string_view help, double value) {
  return head(name, kind, help) + fmt::format("{} {}\n", name, value);
}

}  // namespace rune::server
