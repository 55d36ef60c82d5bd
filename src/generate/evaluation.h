#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "model/network.h"
#include "rune/options.h"
#include "text/batcher.h"

namespace rune::generate {

/// The loss over a text and how it was measured.
struct Evaluation {
  Protocol protocol;
  double loss = 0;              // nats per character
  std::int64_t characters = 0;  // targets counted
  bool complete = true;         // false: a stop was requested before the end
  [[nodiscard]] double bits_per_character() const;
  [[nodiscard]] double perplexity() const;
};

/// "rows:128", "stream", "windows:256", "batches". Throws InputError on anything else.
Protocol parse_protocol(const std::string& text);
std::string to_string(const Protocol& protocol);

/// Measures a network on a text by a protocol, again and again without allocating (as training does):
///   rows:N     system A's: N rows, zero state, carried over windows of `sequence_length`, mean of the batch losses,
///   partial batch dropped
///   stream     one carried state over the whole text
///   windows:N  independent windows of N characters, zero state each
///   batches    the batches of a given batcher: a zero state at the start, or in each block where it carries none
/// The tokens must outlive it; the network is the one given to each call. Not thread-safe.
class Evaluator {
 public:
  /// Throws InputError if the text is too short for the protocol.
  Evaluator(const model::Network& network, std::span<const std::int32_t> tokens, const Protocol& protocol,
            int sequence_length);
  /// The protocol `batches`.
  Evaluator(const model::Network& network, std::unique_ptr<text::Batcher> batcher);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  /// With `carried`, a state of as many streams, it goes on from there and leaves the state that it ends with.
  /// `stop_requested`, which may be empty, is asked between blocks.
  Evaluation evaluate(const model::Network& network, ThreadTeam& team, model::State* carried = nullptr,
                      const std::function<bool()>& stop_requested = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rune::generate
