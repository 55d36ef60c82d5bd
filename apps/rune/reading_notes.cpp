#include "reading_notes.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "output.h"
#include "text/duplicates.h"
#include "text/utf8.h"

namespace rune::app {
namespace {

std::string note(const text::Reading& reading) {
  std::vector<std::string> notes;
  const text::Encoding& encoding = reading.encoding;
  if (encoding.name != "UTF-8") {
    notes.push_back(encoding.confidence == 100 ? encoding.name
                                               : fmt::format("{} ({} % sure)", encoding.name, encoding.confidence));
  }
  if (reading.invalid > 0) {
    notes.push_back(fmt::format("{} places that are no {}, the first at byte {}", with_commas(reading.invalid),
                                encoding.name, with_commas(reading.first_invalid)));
  }
  const auto add_line_ends = [&](std::int64_t count, const char* name) {
    if (count > 0) notes.push_back(fmt::format("{} line ends {}", with_commas(count), name));
  };
  add_line_ends(reading.crlf, "CR LF");
  add_line_ends(reading.cr, "CR");
  add_line_ends(reading.nel, "NEL");
  return notes.empty() ? "" : fmt::format("{}: {}\n", reading.name, fmt::join(notes, ", "));
}

std::string unknown_note(const text::Corpus& corpus) {
  const text::UnknownUnits& unknown = corpus.unknown;
  if (unknown.distinct == 0) return "";
  std::vector<std::string> units;
  units.reserve(unknown.most_frequent.size());
  for (const auto& [unit, count] : unknown.most_frequent) units.push_back(text::describe_unit(unit));
  return fmt::format("Unknown: {} {}, {} in all, among them {}\n", with_commas(unknown.distinct),
                     units_name(corpus.vocabulary.form().unit), with_commas(unknown.occurrences),
                     fmt::join(units, ", "));
}

std::string copies_note(const text::Corpus& corpus) {
  const text::Copies copies = text::copies_in_validation(corpus);
  if (copies.copied == 0) return "";
  return fmt::format("Copies: {} of {} {} for validation stand in the training part as well, so its loss flatters\n",
                     with_commas(copies.copied), with_commas(copies.of),
                     corpus.train_ends.empty() ? "passages" : "records");
}

}  // namespace

std::string reading_notes(const text::Corpus& corpus) {
  constexpr std::size_t kShown = 10;
  std::string text;
  std::size_t shown = 0;
  for (const text::Reading& reading : corpus.readings) {
    const std::string line = note(reading);
    if (!line.empty() && ++shown <= kShown) text += line;
  }
  if (shown > kShown) text += fmt::format("... and {} more files like these\n", with_commas(shown - kShown));
  return text + unknown_note(corpus) + copies_note(corpus);
}

std::function<void(double)> reading_progress(bool quiet) {
  if (quiet || !is_terminal(STDERR_FILENO)) return {};
  return [last = -1](double share) mutable {
    const int percent = static_cast<int>(100 * share);
    if (percent != std::exchange(last, percent)) {
      draw(percent == 100 ? "\r              \r" : fmt::format("\rReading {} %", percent));
    }
  };
}

std::string_view units_name(Unit unit) {
  switch (unit) {
    case Unit::byte:
      return "bytes";
    case Unit::word:
      return "words";
    case Unit::character:
    case Unit::grapheme:
      break;
  }
  return "characters";
}

}  // namespace rune::app
