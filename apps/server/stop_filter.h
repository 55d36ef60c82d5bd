#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rune::server {

/// What a token adds to a text, and what the model thought of it.
struct Piece {
  std::string text;                                      // whole characters; nothing where the token only begins one
  std::string token{};                                   // by itself
  std::optional<double> log_probability{};               // where it is asked for, and known
  std::vector<std::pair<std::string, double>> likely{};  // the most probable, with log-probabilities
};

/// Holds pieces of a text back while they may belong to a stop text, which is never let out. Not thread-safe.
class StopFilter {
 public:
  explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// False: a stop text is complete. What stands before it is let out, what follows is gone.
  [[nodiscard]] bool add(Piece piece);
  /// The text ends without a stop text: what was held is let out.
  void finish();
  /// What has been let out since the last call.
  [[nodiscard]] std::vector<Piece> take() { return std::exchange(free_, {}); }
  [[nodiscard]] bool has_some() const { return !free_.empty(); }

 private:
  /// Lets the first `size` bytes of what is held out; a piece in two counts as one before it.
  void release(std::size_t size, bool cut);

  std::vector<std::string> stops_;
  std::vector<Piece> held_;
  std::string text_;  // of what is held
  std::vector<Piece> free_;
};

}  // namespace rune::server
