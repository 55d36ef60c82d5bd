#include "generate/compression.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/hash.h"
#include "base/thread_team.h"
#include "format/little_endian.h"
#include "generate/adaptive_model.h"
#include "generate/generator.h"
#include "generate/range_coder.h"
#include "kernels/kernels.h"
#include "text/transcript.h"

namespace rune::generate {
namespace {

using text::Transcript;

// The first byte is no text's; a program that changes line ends destroys the others.
constexpr std::string_view kMagic = "\x89rune1\r\n";
constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kChecksumSize = 8;
constexpr std::size_t kHeaderSize = kMagic.size() + kDigestSize / 2 + 8 + 8 + 8 + 2 + 1;
constexpr std::uint8_t kWithInstead = 1;
constexpr std::uint8_t kWithBefore = 2;
constexpr std::uint8_t kStored = 4;

constexpr int kMaxStreams = 1024;
// More streams are faster, since a step reads every weight once for all of them; each begins without a past.
constexpr std::size_t kTokensOfStream = 4096;
constexpr int kBestStreams = 64;

constexpr std::size_t kMostInstead = 255;        // remembered of a token
constexpr std::uint64_t kMostTokensOfByte = 32;  // a normal form makes 18 characters of one at most
constexpr std::size_t kReportEvery = 256;        // steps

std::size_t as_size(int value) { return static_cast<std::size_t>(value); }

/// Bytes that no model predicts: each by the one before it, and their end.
class ByteCoder {
 public:
  void code(SymbolCoder& coder, std::string& bytes, std::size_t most) {
    std::string coded;
    for (std::size_t context = kEnd;;) {
      const std::size_t given = coded.size() < bytes.size() ? static_cast<unsigned char>(bytes[coded.size()]) : kEnd;
      context = after(context).code(coder, given);
      if (context == kEnd) break;
      if (coded.size() == most) throw InputError("more bytes than its header says");
      coded += static_cast<char>(context);
    }
    bytes = std::move(coded);
  }

 private:
  static constexpr std::size_t kEnd = 256;
  static constexpr std::uint32_t kWeight = 24;

  AdaptiveModel& after(std::size_t context) {
    std::optional<AdaptiveModel>& model = models_[context];
    return model ? *model : model.emplace(kEnd + 1, kWeight);
  }

  std::vector<std::optional<AdaptiveModel>> models_ = std::vector<std::optional<AdaptiveModel>>(kEnd + 1);
};

/// One token of a transcript with what stands beside it.
struct Item {
  std::string before;
  std::int32_t token = 0;
  std::optional<std::string> instead;
};

/// What stands beside tokens, coded by what has stood there before. `most`: bytes that anything may have.
class AsideCoder {
 public:
  AsideCoder(std::size_t vocabulary_size, bool with_before, bool with_instead)
      : with_before_(with_before), of_token_(with_instead ? vocabulary_size : 0) {}

  void code_before(SymbolCoder& coder, std::string& before, std::size_t most) {
    if (!with_before_) return;
    if (is_before_.code(coder, before.empty() ? 0 : 1) == 1) bytes_.code(coder, before, most);
  }

  void code_instead(SymbolCoder& coder, std::int32_t token, std::optional<std::string>& instead, std::size_t most) {
    if (of_token_.empty()) return;
    Instead& known = of_token_[static_cast<std::size_t>(token)];
    if (known.is_there.code(coder, instead ? 1 : 0) == 0) return;
    if (!instead) instead.emplace();
    constexpr std::size_t kNew = 0;
    const auto found = std::ranges::find(known.seen, *instead);
    const std::size_t given =
        found == known.seen.end() ? kNew : 1 + static_cast<std::size_t>(found - known.seen.begin());
    const std::size_t which = known.which.code(coder, given);
    if (which != kNew) {
      *instead = known.seen[which - 1];
      return;
    }
    bytes_.code(coder, *instead, most);
    if (known.seen.size() == kMostInstead) return;
    known.seen.push_back(*instead);
    known.which.grow();
  }

 private:
  struct Instead {
    AdaptiveModel is_there{2};
    AdaptiveModel which{1};
    std::vector<std::string> seen;
  };
  bool with_before_;
  AdaptiveModel is_before_{2};
  std::vector<Instead> of_token_;
  ByteCoder bytes_;
};

/// The tokens that a transcript can have: units, and the symbols that stand for some.
std::vector<std::uint8_t> codable_tokens(const text::Vocabulary& vocabulary) {
  std::vector<std::uint8_t> codable(as_size(vocabulary.size()), 1);
  for (std::size_t token = 0; token < codable.size(); ++token)
    codable[token] = vocabulary.is_symbol(static_cast<int>(token)) ? 0 : 1;
  const bool newline = vocabulary.token("\n") >= 0;
  for (const int token : {vocabulary.token(text::Symbol::unknown), newline ? -1 : vocabulary.token(text::Symbol::end)})
    if (token >= 0) codable[as_size(token)] = 1;
  return codable;
}

/// Reads streams of tokens side by side with the canonical kernels, and codes the next token of each by what the model
/// expects there. Both directions are this one.
class Walk {
 public:
  Walk(const model::Model& model, SymbolCoder& coder, const PackedText& header, int threads)
      : vocabulary_(model.vocabulary),
        network_(model.network.options(), model.vocabulary.size(), model.network.parameters(),
                 model::Purpose::inference, kernels::canonical()),
        coder_(coder),
        asides_(as_size(vocabulary_.size()), header.with_before, header.with_instead),
        count_(static_cast<std::size_t>(header.tokens)),
        streams_(header.streams),
        first_token_(opening(vocabulary_, {}, {}).front()),
        codable_(codable_tokens(vocabulary_)),
        state_(network_.options(), streams_),
        fresh_(network_.options(), 1),
        logits_(as_size(streams_), as_size(vocabulary_.size())),
        weights_(logits_.cols()),
        frequencies_(logits_.cols()),
        read_(as_size(streams_), first_token_) {
    if (threads != 1 && worth_sharing(network_, as_size(streams_))) team_ = std::make_unique<ThreadTeam>(threads);
  }

  /// The tokens of a stream, as places in the transcript.
  [[nodiscard]] Range part(int stream) const { return share_of(count_, stream, streams_); }

  /// Calls visit(stream, place) for every token, stream by stream at each step; it codes the item there with `code` and
  /// returns its token.
  template <class Visit>
  void run(const OnProgress& on_progress, const Visit& visit) {
    const std::size_t steps = (count_ + as_size(streams_) - 1) / as_size(streams_);
    for (std::size_t step = 0; step < steps; ++step) {
      network_.step(read_, state_, logits_, team_.get());
      for (int stream = 0; stream < streams_; ++stream) {
        const Range mine = part(stream);
        if (mine.begin + step >= mine.end) continue;
        const std::int32_t token = visit(stream, mine.begin + step);
        const bool over = vocabulary_.form().records != Records::none && token == vocabulary_.token(text::Symbol::end);
        if (over) state_.copy_stream(fresh_, 0, stream);
        read_[as_size(stream)] = over ? first_token_ : token;
      }
      if (on_progress && step % kReportEvery == 0) on_progress(static_cast<double>(step) / static_cast<double>(steps));
    }
  }

  void code(int stream, Item& item, std::size_t most) {
    asides_.code_before(coder_, item.before, most);
    item.token = code_token({logits_.row(as_size(stream)), logits_.cols()}, item.token);
    asides_.code_instead(coder_, item.token, item.instead, most);
  }
  /// What comes after the last token.
  void code_rest(std::string& rest, std::size_t most) { asides_.code_before(coder_, rest, most); }

 private:
  // 1. weights: the softmax times a constant, the largest being 1
  // 2. frequencies: weights in steps of 2^-24, none of them 0
  std::int32_t code_token(std::span<const float> logits, std::int32_t token) {
    if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); }))
      throw InputError("the model's logits are not finite: its weights are too large or damaged");
    kernels::canonical().exponentials(logits.data(), logits.size(), *std::ranges::max_element(logits), 1,
                                      weights_.data());
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < frequencies_.size(); ++i) {
      constexpr float kSteps = 1 << 24;
      frequencies_[i] = codable_[i] * (static_cast<std::uint32_t>(static_cast<std::int32_t>(weights_[i] * kSteps)) + 1);
      total += frequencies_[i];
    }
    return static_cast<std::int32_t>(coder_.code(frequencies_, total, static_cast<std::size_t>(token)));
  }

  const text::Vocabulary& vocabulary_;
  model::Network network_;
  std::unique_ptr<ThreadTeam> team_;
  SymbolCoder& coder_;
  AsideCoder asides_;
  std::size_t count_;
  int streams_;
  std::int32_t first_token_;
  std::vector<std::uint8_t> codable_;
  model::State state_;
  model::State fresh_;
  Matrix logits_;
  std::vector<float> weights_;
  std::vector<std::uint32_t> frequencies_;
  std::vector<std::int32_t> read_;  // by stream, what the model reads next
};

/// The asides of a stretch of a transcript, one after the other.
class AsideWalk {
 public:
  AsideWalk(const std::vector<Transcript::Aside>& all, std::size_t begin)
      : next_(std::ranges::lower_bound(all, begin, {}, &Transcript::Aside::token)), end_(all.end()) {}
  /// That of a token; they are asked for in ascending order.
  std::optional<std::string_view> at(std::size_t token) {
    if (next_ == end_ || next_->token != token) return std::nullopt;
    return (next_++)->bytes;
  }

 private:
  std::vector<Transcript::Aside>::const_iterator next_, end_;
};

int choose_streams(int asked, std::size_t tokens) {
  if (asked < 0 || asked > kMaxStreams)
    throw InputError(fmt::format("streams must be in 0 (by the length) to {}, found {}", kMaxStreams, asked));
  const auto most = static_cast<int>(std::clamp<std::size_t>(tokens, 1, kMaxStreams));
  if (asked > 0) return std::min(asked, most);
  return std::clamp(static_cast<int>(std::min<std::size_t>(tokens / kTokensOfStream, kMaxStreams)), 1, kBestStreams);
}

std::string encode(const model::Model& model, const Transcript& transcript, const PackedText& header, int threads,
                   const OnProgress& on_progress) {
  RangeEncoder encoder;
  Walk walk(model, encoder, header, threads);
  std::vector<AsideWalk> before;
  std::vector<AsideWalk> instead;
  for (int stream = 0; stream < header.streams; ++stream) {
    before.emplace_back(transcript.before, walk.part(stream).begin);
    instead.emplace_back(transcript.instead, walk.part(stream).begin);
  }
  const auto most = static_cast<std::size_t>(header.bytes);
  walk.run(on_progress, [&](int stream, std::size_t place) {
    Item item{.before = std::string(before[as_size(stream)].at(place).value_or("")),
              .token = transcript.tokens[place],
              .instead = {}};
    if (const auto bytes = instead[as_size(stream)].at(place)) item.instead = *bytes;
    walk.code(stream, item, most);
    return item.token;
  });
  std::string rest(AsideWalk(transcript.before, transcript.tokens.size()).at(transcript.tokens.size()).value_or(""));
  walk.code_rest(rest, most);
  return encoder.finish();
}

std::string decode(const model::Model& model, const PackedText& header, int threads, const OnProgress& on_progress) {
  RangeDecoder decoder(header.payload);
  Walk walk(model, decoder, header, threads);
  std::vector<std::string> parts(as_size(header.streams));
  std::uint64_t left = header.bytes;
  const auto append = [&](std::string& part, std::string_view bytes) {
    if (bytes.size() > left) throw InputError("more bytes than its header says");
    left -= bytes.size();
    part += bytes;
  };
  walk.run(on_progress, [&](int stream, std::size_t /*place*/) {
    Item item;
    walk.code(stream, item, static_cast<std::size_t>(left));
    if (decoder.over()) throw InputError("more characters than its bytes hold");
    std::string& part = parts[as_size(stream)];
    append(part, item.before);
    append(part, item.instead ? *item.instead : model.vocabulary.entry(item.token));
    return item.token;
  });
  std::string bytes;
  std::string rest;
  walk.code_rest(rest, static_cast<std::size_t>(left));
  append(parts.back(), rest);
  if (!decoder.at_end()) throw InputError("other bytes than it holds");
  for (std::string& part : parts) {
    bytes += part;
    part = {};
  }
  return bytes;
}

void append_number(std::string& bytes, std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> 8 * i & 0xFF);
}

std::string from_digits(std::string_view digits) {
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
  return bytes;
}

std::string to_digits(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return digits;
}

}  // namespace

std::string compress(const model::Model& model, std::string_view bytes, const CompressionOptions& options,
                     const OnProgress& on_progress) {
  const Transcript transcript = text::transcribe(model.vocabulary, bytes);
  PackedText header{.model = model::digest(model),
                    .bytes = bytes.size(),
                    .tokens = transcript.tokens.size(),
                    .checksum = hash64(bytes),
                    .streams = choose_streams(options.streams, transcript.tokens.size()),
                    .with_instead = !transcript.instead.empty(),
                    .with_before = !transcript.before.empty(),
                    .stored = false,
                    .payload = {}};
  std::string payload = encode(model, transcript, header, options.threads, on_progress);
  if (payload.size() >= bytes.size()) {
    header.stored = true;
    header.tokens = 0;
    header.streams = 1;
    payload = bytes;
  }
  const int flags =
      header.stored ? kStored : (header.with_instead ? kWithInstead : 0) | (header.with_before ? kWithBefore : 0);
  std::string packed(kMagic);
  packed += from_digits(header.model);
  append_number(packed, header.bytes, 8);
  append_number(packed, header.tokens, 8);
  append_number(packed, header.checksum, 8);
  append_number(packed, static_cast<std::uint64_t>(header.streams), 2);
  append_number(packed, static_cast<std::uint64_t>(flags), 1);
  packed += payload;
  append_number(packed, hash64(packed), static_cast<int>(kChecksumSize));
  return packed;
}

PackedText read_packed(std::string_view packed, const std::string& name) {
  if (!packed.starts_with(kMagic))
    throw InputError(
        fmt::format("'{}': expected a text packed by rune compress (version 1), found something else", name));
  const auto damaged = [&](const std::string& found) {
    return InputError(
        fmt::format("'{}': expected a packed text as it was written, found {}: it is cut short or damaged; "
                    "take another copy",
                    name, found));
  };
  if (packed.size() < kHeaderSize + kChecksumSize) throw damaged(fmt::format("{} bytes", packed.size()));
  const std::string_view content = packed.substr(0, packed.size() - kChecksumSize);
  if (format::from_little_endian(packed.substr(content.size())) != hash64(content))
    throw damaged("another checksum than it ends with");

  std::string_view rest = content.substr(kMagic.size());
  const auto take = [&](std::size_t size) {
    const std::string_view field = rest.substr(0, size);
    rest.remove_prefix(size);
    return field;
  };
  const auto number = [&](std::size_t size) { return format::from_little_endian(take(size)); };
  PackedText header;
  header.model = to_digits(take(kDigestSize / 2));
  header.bytes = number(8);
  header.tokens = number(8);
  header.checksum = number(8);
  header.streams = static_cast<int>(number(2));
  const std::uint64_t flags = number(1);
  header.with_instead = (flags & kWithInstead) != 0;
  header.with_before = (flags & kWithBefore) != 0;
  header.stored = flags == kStored;
  header.payload = rest;
  if (header.streams < 1 || header.streams > kMaxStreams) throw damaged(fmt::format("{} streams", header.streams));
  if (flags > (kWithInstead | kWithBefore) && !header.stored) throw damaged(fmt::format("flags {}", flags));
  if (header.stored && (header.tokens != 0 || header.streams != 1 || header.bytes != rest.size()))
    throw damaged(fmt::format("{} bytes as they were instead of {}", rest.size(), header.bytes));
  if (header.tokens / kMostTokensOfByte > header.bytes)
    throw damaged(fmt::format("{} characters in {} bytes", header.tokens, header.bytes));
  return header;
}

std::string decompress(const model::Model& model, std::string_view packed, const std::string& name, int threads,
                       const OnProgress& on_progress) {
  const PackedText header = read_packed(packed, name);
  if (const std::string digest = model::digest(model); digest != header.model) {
    throw InputError(
        fmt::format("'{}' was packed with another model: expected the one whose digest is {}, found {}; "
                    "give the model that it was packed with",
                    name, header.model, digest));
  }
  std::string bytes;
  try {
    bytes = header.stored ? std::string(header.payload) : decode(model, header, threads, on_progress);
  } catch (const InputError& error) {
    throw InputError(
        fmt::format("'{}': expected {} bytes of text, found {}: it was not written by rune compress, or by "
                    "another version of it",
                    name, header.bytes, error.what()));
  }
  if (bytes.size() != header.bytes || hash64(bytes) != header.checksum) {
    throw InputError(
        fmt::format("'{}': expected {} bytes with the checksum {:016x}, found {} with {:016x}: it was not "
                    "written by rune compress, or by another version of it",
                    name, header.bytes, header.checksum, bytes.size(), hash64(bytes)));
  }
  return bytes;
}

}  // namespace rune::generate
