#include "text/encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include <rune/error.h>

#include "text/prefix.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr std::size_t kSample = std::size_t{1} << 18;  // bytes that statistics are made of
constexpr double kWrongShare = 0.01;                   // of bytes, up to which a file is UTF-8 with mistakes
constexpr int kSure = 50;                              // hundredths, from which on a guess is taken
constexpr std::size_t kFewBytes = 10;                  // outside ASCII, of which statistics tell nothing
constexpr int kByZeros = 90;
constexpr int kByPunctuation = 80;
constexpr int kWithMistakes = 95;

struct Mark {
  std::string_view bytes;
  const char* encoding;
};
// UTF-32LE's begins with UTF-16LE's.
constexpr std::array<Mark, 5> kMarks{{{"\xef\xbb\xbf", "UTF-8"},
                                      {{"\xff\xfe\0\0", 4}, "UTF-32LE"},
                                      {{"\0\0\xfe\xff", 4}, "UTF-32BE"},
                                      {"\xff\xfe", "UTF-16LE"},
                                      {"\xfe\xff", "UTF-16BE"}}};

std::size_t mark_length(std::string_view bytes, const std::string& encoding) {
  for (const Mark& mark : kMarks) {
    if (bytes.starts_with(mark.bytes) && encoding == mark.encoding) return mark.bytes.size();
  }
  return 0;
}

/// Text of a script whose characters are below U+0100 has zeros at the same place of every two or four bytes, and
/// nowhere else.
const char* encoding_by_zeros(std::string_view bytes) {
  const std::string_view sample = bytes.substr(0, kSample / 4 * 4);
  std::array<std::size_t, 4> zeros{};
  for (std::size_t i = 0; i < sample.size(); ++i) zeros[i % 4] += sample[i] == '\0' ? 1 : 0;
  const auto often = [&](std::size_t place) { return zeros[place] * 4 * 10 > sample.size() * 7; };  // of the places
  const auto seldom = [&](std::size_t place) { return zeros[place] * 4 * 100 <= sample.size() * 2; };
  if (bytes.size() % 4 == 0) {
    if (seldom(0) && often(1) && often(2) && often(3)) return "UTF-32LE";
    if (often(0) && often(1) && often(2) && seldom(3)) return "UTF-32BE";
  }
  if (bytes.size() % 2 == 0) {
    if (seldom(0) && often(1) && seldom(2) && often(3)) return "UTF-16LE";
    if (often(0) && seldom(1) && often(2) && seldom(3)) return "UTF-16BE";
  }
  return nullptr;
}

/// Text of other scripts has newlines, spaces and ideographic punctuation in one order of bytes, and next to none in
/// the other. Where it could be UTF-8 too, one of every two bytes must be one that UTF-8 hardly ever has, such as
/// Cyrillic's 0x04.
const char* encoding_by_punctuation(std::string_view bytes, bool valid_utf8) {
  if (bytes.size() % 2 != 0) return nullptr;
  const std::string_view sample = bytes.substr(0, kSample);
  std::size_t little = 0;
  std::size_t big = 0;
  std::array<std::size_t, 2> controls{};
  for (std::size_t i = 0; i + 1 < sample.size(); i += 2) {
    const auto is_common = [](unsigned char high, unsigned char low) {
      return (high == 0 && (low == '\n' || low == ' ')) || (high == 0x30 && (low == 1 || low == 2)) ||
             (high == 0xFF && low == 0x0C);
    };
    const auto first = static_cast<unsigned char>(sample[i]);
    const auto second = static_cast<unsigned char>(sample[i + 1]);
    little += is_common(second, first) ? 1 : 0;
    big += is_common(first, second) ? 1 : 0;
    controls[0] += first < 0x20 ? 1 : 0;
    controls[1] += second < 0x20 ? 1 : 0;
  }
  constexpr std::size_t kOneOf = 200;    // characters is such a one, at least
  constexpr std::size_t kSeldomer = 20;  // times as seldom in the wrong order
  const auto in_order = [&](std::size_t right, std::size_t wrong, std::size_t high_place) {
    return right * 2 * kOneOf > sample.size() && wrong * kSeldomer < right &&
           (!valid_utf8 || controls[high_place] * 2 * 10 > sample.size() * 7);
  };
  if (in_order(little, big, 1)) return "UTF-16LE";
  if (in_order(big, little, 0)) return "UTF-16BE";
  return nullptr;
}

std::size_t wrong_bytes(std::string_view bytes) {
  std::size_t wrong = 0;
  for (bytes.remove_prefix(valid_prefix(bytes)); !bytes.empty(); bytes.remove_prefix(valid_prefix(bytes))) {
    const std::size_t length = decode_at(bytes, 0).length;
    wrong += length;
    bytes.remove_prefix(length);
  }
  return wrong;
}

/// The parts of a text that show how it is written: stretches of ASCII are shortened, since ICU looks at the first 8 KB
/// alone, and the letters of another alphabet may come after them.
std::string telling_sample(std::string_view bytes) {
  constexpr std::size_t kKept = 64;  // of a stretch, at either end
  std::string sample;
  while (!bytes.empty() && sample.size() < kSample) {
    const std::size_t ascii = ascii_prefix(bytes);
    if (ascii > 2 * kKept) {
      sample.append(bytes.substr(0, kKept)).append(bytes.substr(ascii - kKept, kKept));
    } else {
      sample.append(bytes.substr(0, ascii));
    }
    bytes.remove_prefix(ascii);
    std::size_t other = 0;
    while (other < bytes.size() && static_cast<unsigned char>(bytes[other]) >= 0x80) ++other;
    sample.append(bytes.substr(0, other));
    bytes.remove_prefix(other);
  }
  sample.resize(std::min(sample.size(), kSample));
  return sample;
}

std::vector<Encoding> by_statistics(std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&status), &ucsdet_close);
  const std::string sample = telling_sample(bytes);
  ucsdet_setText(detector.get(), sample.data(), static_cast<std::int32_t>(sample.size()), &status);
  std::int32_t count = 0;
  const UCharsetMatch** const matches = ucsdet_detectAll(detector.get(), &count, &status);
  std::vector<Encoding> encodings;
  for (std::int32_t i = 0; i < count && U_SUCCESS(status); ++i) {
    const std::string name = ucsdet_getName(matches[i], &status);
    if (name == "UTF-8") continue;  // which has been ruled out
    encodings.push_back({.name = name, .confidence = ucsdet_getConfidence(matches[i], &status)});
  }
  return encodings;
}

std::string canonical_name(const std::string& asked) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(asked.c_str(), &status), &ucnv_close);
  if (asked.empty() || U_FAILURE(status)) {
    throw InputError(
        "expected an encoding that ICU knows, such as UTF-8, UTF-16, ISO-8859-1, windows-1252, GB18030, "
        "Shift_JIS or KOI8-R, or auto, found '" +
        asked + "'");
  }
  for (const char* standard : {"MIME", "IANA"}) {
    status = U_ZERO_ERROR;
    const char* const name = ucnv_getStandardName(asked.c_str(), standard, &status);
    if (U_SUCCESS(status) && name != nullptr) return name;
  }
  return asked;
}

std::string candidates(const std::vector<Encoding>& encodings) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (const Encoding& encoding : std::span(encodings).first(std::min(kShown, encodings.size()))) {
    text += (text.empty() ? "" : ", ") + encoding.name + " (" + std::to_string(encoding.confidence) + " %)";
  }
  return text.empty() ? "none that fits" : text;
}

}  // namespace

std::vector<Encoding> detect_encodings(std::string_view bytes) {
  for (const Mark& mark : kMarks) {
    if (bytes.starts_with(mark.bytes)) return {{.name = mark.encoding, .mark_length = mark.bytes.size()}};
  }
  if (const char* const name = encoding_by_zeros(bytes)) return {{.name = name, .confidence = kByZeros}};
  const std::size_t wrong = wrong_bytes(bytes);
  if (const char* const name = encoding_by_punctuation(bytes, wrong == 0))
    return {{.name = name, .confidence = kByPunctuation}};
  if (wrong == 0) return {{.name = "UTF-8"}};
  std::vector<Encoding> encodings = by_statistics(bytes);
  if (wrong < kFewBytes) {
    for (Encoding& encoding : encodings) encoding.confidence = std::min(encoding.confidence, kSure - 1);
  }
  if (static_cast<double>(wrong) < kWrongShare * static_cast<double>(bytes.size())) {
    encodings.insert(encodings.begin(), {.name = "UTF-8", .confidence = kWithMistakes});
  }
  return encodings;
}

Encoding choose_encoding(std::string_view bytes, const std::string& asked, const std::string& file) {
  if (asked != "auto") {
    Encoding encoding{.name = canonical_name(asked)};
    if (encoding.name == "UTF-16" || encoding.name == "UTF-32") {  // the mark says in which order
      for (const Encoding& detected : detect_encodings(bytes)) {
        if (detected.mark_length > 0 && detected.name.starts_with(encoding.name)) return detected;
      }
    }
    encoding.mark_length = mark_length(bytes, encoding.name);
    return encoding;
  }
  const std::vector<Encoding> encodings = detect_encodings(bytes);
  if (encodings.empty() || encodings.front().confidence < kSure) {
    throw InputError("'" + file +
                     "': expected a text whose encoding shows, found bytes that are not UTF-8 and may be " +
                     candidates(encodings) + "; name the encoding with --encoding");
  }
  return encodings.front();
}

}  // namespace rune::text
