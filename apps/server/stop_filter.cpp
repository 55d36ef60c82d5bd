#include "server/stop_filter.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace rune::server {
namespace {

// Bytes at the end of a text that may be the beginning of a stop text.
std::size_t undecided(std::string_view text, std::string_view stop) {
  for (std::size_t size = std::min(text.size(), stop.size() - 1); size > 0; --size) {
    if (text.ends_with(stop.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

bool StopFilter::add(Piece piece) {
  if (stops_.empty()) {
    free_.push_back(std::move(piece));
    return true;
  }
  text_ += piece.text;
  held_.push_back(std::move(piece));
  std::size_t found = std::string::npos;
  std::size_t kept = 0;
  for (const std::string& stop : stops_) {
    found = std::min(found, text_.find(stop));
    kept = std::max(kept, undecided(text_, stop));
  }
  const bool stopped = found != std::string::npos;
  release(stopped ? found : text_.size() - kept, /*cut=*/stopped);
  return !stopped;
}

void StopFilter::finish() { release(text_.size(), /*cut=*/false); }

void StopFilter::release(std::size_t size, bool cut) {
  std::size_t pieces = 0;
  std::size_t bytes = 0;
  while (pieces < held_.size() && bytes + held_[pieces].text.size() <= size) bytes += held_[pieces++].text.size();
  const auto end = held_.begin() + static_cast<std::ptrdiff_t>(pieces);
  std::move(held_.begin(), end, std::back_inserter(free_));
  if (cut && bytes < size) {
    free_.push_back(std::move(*end));
    free_.back().text.resize(size - bytes);
  }
  if (cut) pieces = held_.size();
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(pieces));
  text_.erase(0, cut ? std::string::npos : bytes);
}

}  // namespace rune::server
