#include "generate/evaluation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "text/stream_batchers.h"
#include "text/window_batcher.h"

namespace rune::generate {
namespace {

constexpr int kStreamBlock = 256;            // characters
constexpr std::size_t kWindowsInBlock = 64;  // at most

std::unique_ptr<text::Batcher> make_batcher(std::span<const std::int32_t> tokens, const Protocol& protocol,
                                            int sequence_length) {
  if (protocol.kind == Protocol::Kind::batches) {
    throw InputError(
        "the protocol batches belongs to a training, whose batches it takes; use stream, rows:N or windows:N");
  }
  if (tokens.size() < 2) {
    throw InputError(fmt::format("evaluation needs a text of at least 2 characters, found {}", tokens.size()));
  }
  if (protocol.kind == Protocol::Kind::stream) return std::make_unique<text::WholeTextBatcher>(tokens, kStreamBlock);
  if (protocol.size < 1)
    throw InputError(fmt::format("the size in the protocol {} must be at least 1", to_string(protocol)));
  if (protocol.kind == Protocol::Kind::rows) {
    return std::make_unique<text::StreamBatcher>(tokens, protocol.size, sequence_length);
  }
  const auto targets = tokens.size() - 1;  // a window longer than the text is one that fits it
  const auto window = std::min(static_cast<std::size_t>(protocol.size), targets);
  const auto windows = std::min((targets + window - 1) / window, kWindowsInBlock);
  return std::make_unique<text::WindowBatcher>(tokens, static_cast<int>(window), static_cast<int>(windows));
}

}  // namespace

double Evaluation::bits_per_character() const { return loss / std::numbers::ln2; }

double Evaluation::perplexity() const { return std::exp(loss); }

Protocol parse_protocol(const std::string& text) {
  if (text == "stream") return {Protocol::Kind::stream, 0};
  if (text == "batches") return {Protocol::Kind::batches, 0};
  const std::size_t colon = text.find(':');
  const std::string_view name = std::string_view(text).substr(0, colon);
  const bool rows = name == "rows";
  if (colon != std::string::npos && (rows || name == "windows")) {
    const char* const end = text.data() + text.size();
    int size = 0;
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, size);
    if (error == std::errc() && rest == end && size >= 1)
      return {rows ? Protocol::Kind::rows : Protocol::Kind::windows, size};
  }
  throw InputError(fmt::format(
      "expected an evaluation protocol, rows:N, stream, windows:N or batches, with N of at least 1, found '{}'", text));
}

std::string to_string(const Protocol& protocol) {
  switch (protocol.kind) {
    case Protocol::Kind::rows:
      return fmt::format("rows:{}", protocol.size);
    case Protocol::Kind::windows:
      return fmt::format("windows:{}", protocol.size);
    case Protocol::Kind::batches:
      return "batches";
    case Protocol::Kind::stream:
      break;
  }
  return "stream";
}

struct Evaluator::Parts {
  Parts(const model::Network& network, const Protocol& asked, std::unique_ptr<text::Batcher> cutter)
      : protocol(asked),
        batcher(std::move(cutter)),
        state(network.options(), batcher->batch_size()),
        workspace(network, batcher->longest(), batcher->batch_size(), model::Workspace::Mode::evaluation) {}

  Protocol protocol;
  std::unique_ptr<text::Batcher> batcher;
  model::State state;
  model::Workspace workspace;
};

Evaluator::Evaluator(const model::Network& network, std::span<const std::int32_t> tokens, const Protocol& protocol,
                     int sequence_length)
    : parts_(std::make_unique<Parts>(network, protocol, make_batcher(tokens, protocol, sequence_length))) {}

Evaluator::Evaluator(const model::Network& network, std::unique_ptr<text::Batcher> batcher)
    : parts_(std::make_unique<Parts>(network, Protocol{Protocol::Kind::batches, 0}, std::move(batcher))) {}

Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

Evaluation Evaluator::evaluate(const model::Network& network, ThreadTeam& team, model::State* carried,
                               const std::function<bool()>& stop_requested) {
  constexpr std::int64_t kEpoch = 0;
  Parts& parts = *parts_;
  model::State& state = carried != nullptr ? *carried : parts.state;
  model::Loss total;
  const std::int64_t blocks = parts.batcher->blocks(kEpoch);
  const auto result = [&](bool complete) -> Evaluation {
    return {.protocol = parts.protocol, .loss = total.mean(), .characters = total.characters, .complete = complete};
  };
  if (carried == nullptr) state.zero();
  for (std::int64_t i = 0; i < blocks; ++i) {
    if (i > 0 && stop_requested && stop_requested()) return result(/*complete=*/false);
    if (!parts.batcher->carries_state()) state.zero();
    const model::Loss loss = network.evaluate(parts.batcher->block(kEpoch, i), state, parts.workspace, team);
    total.sum += loss.sum;
    total.characters += loss.characters;
  }
  return result(/*complete=*/true);
}

}  // namespace rune::generate
