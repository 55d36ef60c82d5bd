#include "text/decoder.h"

#include <unicode/ucnv.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <utility>

#include <rune/error.h>

#include "text/prefix.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes
constexpr std::size_t kLongestPiece = 4 * kPiece;     // of a line without end
constexpr std::string_view kNel = "\xc2\x85";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool may_end_line(char byte) { return byte == '\r' || byte == kNel.front(); }  // all but LF

/// Where a piece of a text may end: after a line, else after a space, else after a character.
std::size_t cut(std::string_view text) {
  for (const char boundary : {'\n', ' '}) {
    if (const std::size_t at = text.rfind(boundary); at != std::string_view::npos) return at + 1;
  }
  return text.size() - unfinished(text);
}

}  // namespace

struct Decoder::Parts {
  using Converter = std::unique_ptr<UConverter, decltype(&ucnv_close)>;

  Parts(std::string_view all, const std::string& name, const TextOptions& given)
      : bytes(all), on_invalid(given.on_invalid), raw(given.form.raw) {
    reading.name = name;
    reading.encoding = choose_encoding(all, given.encoding, name);
    reading.bytes = static_cast<std::int64_t>(all.size());
    at = reading.encoding.mark_length;
    if (reading.encoding.name == "UTF-8") return;
    UErrorCode status = U_ZERO_ERROR;
    converter.reset(ucnv_open(reading.encoding.name.c_str(), &status));
    ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    if (U_FAILURE(status)) throw InputError("could not decode " + reading.encoding.name + ": " + u_errorName(status));
  }

  // What is no character: an error, U+FFFD, or the bytes themselves.
  void invalid(std::size_t offset, std::size_t length, const char* what) {
    ++reading.invalid;
    if (reading.first_invalid < 0) reading.first_invalid = static_cast<std::int64_t>(offset);
    switch (on_invalid) {
      case OnInvalid::error:
        throw InputError("'" + reading.name + "', byte " + std::to_string(offset) + ": expected " +
                         reading.encoding.name + " text, found " + what +
                         "; name another encoding with --encoding, or let --on-invalid replace or keep such bytes");
      case OnInvalid::replace:
        decoded += kReplacement;
        break;
      case OnInvalid::bytes:
        decoded += bytes.substr(offset, length);
        break;
    }
  }

  void decode_utf8() {
    const std::size_t end = std::min(bytes.size(), at + kPiece);
    while (at < end) {
      const std::size_t valid = valid_prefix(bytes.substr(at, end - at));
      decoded.append(bytes, at, valid);
      at += valid;
      if (at == end) return;
      const Decoded next = decode_at(bytes, at);  // no character, or one that goes on behind this stretch
      if (next.wrong == nullptr) {
        decoded.append(bytes, at, next.length);
      } else {
        invalid(at, next.length, next.wrong);
      }
      at += next.length;
    }
  }

  void decode_other() {
    std::array<UChar, 4096> units;
    const char* const end = bytes.data() + std::min(bytes.size(), at + kPiece);
    const char* source = bytes.data() + at;
    for (bool more = true; more;) {
      UErrorCode status = U_ZERO_ERROR;
      UChar* target = units.data();
      ucnv_toUnicode(converter.get(), &target, units.data() + units.size(), &source, end, nullptr,
                     static_cast<UBool>(end == bytes.data() + bytes.size()), &status);
      append_utf16(units.data(), target);
      more = status == U_BUFFER_OVERFLOW_ERROR;
      if (U_SUCCESS(status) || more) continue;
      std::array<char, 32> wrong;  // longer than any character
      auto length = static_cast<std::int8_t>(wrong.size());
      UErrorCode asked = U_ZERO_ERROR;
      ucnv_getInvalidChars(converter.get(), wrong.data(), &length, &asked);
      const auto offset = static_cast<std::size_t>(source - bytes.data()) - static_cast<std::size_t>(length);
      invalid(offset, static_cast<std::size_t>(length),
              status == U_TRUNCATED_CHAR_FOUND ? "a character cut off by the end" : "bytes that are no character");
      more = status != U_TRUNCATED_CHAR_FOUND;
    }
    at = static_cast<std::size_t>(source - bytes.data());
  }

  void append_utf16(const UChar* begin, const UChar* end) {
    for (; begin != end; ++begin) {
      if (U16_IS_LEAD(*begin)) {
        lead = *begin;
      } else if (U16_IS_TRAIL(*begin)) {
        append_utf8(decoded, static_cast<char32_t>(U16_GET_SUPPLEMENTARY(lead, *begin)));
      } else {
        append_utf8(decoded, *begin);
      }
    }
  }

  // Moves what is decoded to the text that waits for a piece's end.
  void take_lines() {
    std::string_view rest = decoded;
    if (carriage_return && rest.starts_with('\n')) {
      rest.remove_prefix(1);
      --reading.cr;
      ++reading.crlf;
    }
    if (!rest.empty()) carriage_return = false;
    while (!rest.empty()) {
      const std::size_t plain = raw ? rest.size() : length_before(rest, may_end_line);
      reading.lf += std::ranges::count(rest.substr(0, plain), '\n');
      pending += rest.substr(0, plain);
      rest.remove_prefix(plain);
      if (!rest.empty()) rest.remove_prefix(take_line_end(rest));
    }
    decoded.clear();
  }

  // A line end of another kind, or what begins with the same byte as NEL; its length.
  std::size_t take_line_end(std::string_view rest) {
    const bool crlf = rest.starts_with("\r\n");
    const bool nel = rest.starts_with(kNel);
    if (rest.front() != '\r' && !nel) {
      pending += rest.front();
      return 1;
    }
    ++(nel ? reading.nel : crlf ? reading.crlf : reading.cr);
    carriage_return = rest == "\r";  // its newline may come in the next piece
    pending += '\n';
    return nel || crlf ? 2 : 1;
  }

  std::string_view bytes;
  OnInvalid on_invalid;
  bool raw;
  Reading reading;
  Converter converter{nullptr, &ucnv_close};
  std::size_t at = 0;  // the next byte
  UChar lead = 0;      // the first half of a pair whose second has not come yet
  std::string decoded;
  bool carriage_return = false;  // was the last character, and has been taken for a line end
  std::string pending;
};

Decoder::Decoder(std::string_view bytes, const std::string& name, const TextOptions& options)
    : parts_(std::make_unique<Parts>(bytes, name, options)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

const Reading& Decoder::reading() const { return parts_->reading; }

bool Decoder::next(std::string& piece) {
  Parts& parts = *parts_;
  const auto ready = [&] {
    return parts.pending.size() >= kLongestPiece ||
           (parts.pending.size() >= kPiece && parts.pending.find('\n') != std::string::npos);
  };
  while (parts.at < parts.bytes.size() && !ready()) {
    if (parts.converter != nullptr) {
      parts.decode_other();
    } else {
      parts.decode_utf8();
    }
    parts.take_lines();
  }
  const bool last = parts.at == parts.bytes.size() && parts.pending.size() <= kLongestPiece;
  const std::size_t size = last ? parts.pending.size() : cut(std::string_view(parts.pending).substr(0, kLongestPiece));
  piece.swap(parts.pending);  // a piece is nearly all of it
  parts.pending.assign(piece, size, std::string::npos);
  piece.resize(size);
  const auto characters = parts.reading.invalid == 0 ? count_valid_characters(piece) : count_characters(piece);
  parts.reading.characters += static_cast<std::int64_t>(characters);
  return !piece.empty();
}

std::string decode(std::string_view bytes, const std::string& name, const TextOptions& options) {
  Decoder decoder(bytes, name, options);
  std::string text;
  for (std::string piece; decoder.next(piece);) text += piece;
  return text;
}

}  // namespace rune::text
