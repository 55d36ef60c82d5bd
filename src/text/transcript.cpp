#include "text/transcript.h"

#include <algorithm>
#include <map>
#include <utility>

#include "text/form.h"
#include "text/segmenter.h"

namespace rune::text {
namespace {

constexpr std::string_view kNewline = "\n";
constexpr std::string_view kNextLine = "\xc2\x85";  // NEL, U+0085

bool is_line_end(std::string_view unit) {
  return unit == kNewline || unit == "\r" || unit == "\r\n" || unit == kNextLine;
}

/// What a model reads where the text has a unit that its alphabet lacks.
class Reader {
 public:
  explicit Reader(const Vocabulary& vocabulary) : vocabulary_(vocabulary), segmenter_(vocabulary.form().unit) {}

  /// No token, where nothing is like the unit.
  const std::vector<std::int32_t>& read(std::string_view unit) {
    const auto known = tokens_.find(unit);
    if (known != tokens_.end()) return known->second;
    return tokens_.emplace(unit, find(unit)).first->second;
  }

 private:
  std::vector<std::int32_t> find(std::string_view unit) {
    const TextForm& form = vocabulary_.form();
    const bool line_end = is_line_end(unit) && (!form.raw || unit == kNewline);
    std::vector<std::int32_t> tokens;
    segmenter_.for_each(treated(line_end ? kNewline : unit, form),
                        [&](std::string_view part) { tokens.push_back(vocabulary_.token(part)); });
    if (!tokens.empty() && std::ranges::all_of(tokens, [](std::int32_t token) { return token >= 0; })) return tokens;
    // Where records are lines, a line end ends one.
    for (const int symbol : {line_end ? vocabulary_.token(Symbol::end) : -1, vocabulary_.token(Symbol::unknown)})
      if (symbol >= 0) return {symbol};
    return {};
  }

  const Vocabulary& vocabulary_;
  Segmenter segmenter_;
  std::map<std::string, std::vector<std::int32_t>, std::less<>> tokens_;
};

}  // namespace

Transcript transcribe(const Vocabulary& vocabulary, std::string_view bytes) {
  Transcript transcript;
  Reader reader(vocabulary);
  Segmenter segmenter(vocabulary.form().unit);
  const bool pairs = !vocabulary.form().raw && vocabulary.token("\r") < 0;  // CR LF is one line end
  std::size_t unread = 0;  // from here on, up to a token's bytes, is before it
  const auto put = [&](std::int32_t token, std::size_t begin, std::size_t end) {
    if (begin > unread) transcript.before.push_back({transcript.tokens.size(), bytes.substr(unread, begin - unread)});
    transcript.tokens.push_back(token);
    unread = end;
  };
  std::size_t end = 0;
  segmenter.for_each(bytes, [&](std::string_view unit) {
    const auto begin = static_cast<std::size_t>(unit.data() - bytes.data());
    if (begin < end) return;  // the second half of a CR LF
    if (pairs && unit == "\r" && bytes.substr(begin, 2) == "\r\n") unit = bytes.substr(begin, 2);
    end = begin + unit.size();
    if (const std::int32_t token = vocabulary.token(unit); token >= 0) return put(token, begin, end);
    std::string_view stands_there = unit;  // in place of all the tokens that are read for it
    for (const std::int32_t token : reader.read(unit)) {
      put(token, stands_there.empty() ? end : begin, end);
      transcript.instead.push_back({transcript.tokens.size() - 1, std::exchange(stands_there, {})});
    }
  });
  if (unread < bytes.size()) transcript.before.push_back({transcript.tokens.size(), bytes.substr(unread)});
  return transcript;
}

std::string written_out(const Vocabulary& vocabulary, const Transcript& transcript) {
  std::string bytes;
  auto instead = transcript.instead.begin();
  auto before = transcript.before.begin();
  for (std::size_t i = 0; i <= transcript.tokens.size(); ++i) {
    if (before != transcript.before.end() && before->token == i) bytes += (before++)->bytes;
    if (i == transcript.tokens.size()) break;
    const bool replaced = instead != transcript.instead.end() && instead->token == i;
    bytes += replaced ? (instead++)->bytes : std::string_view(vocabulary.entry(transcript.tokens[i]));
  }
  return bytes;
}

}  // namespace rune::text
