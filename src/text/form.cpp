#include "text/form.h"

#include <rune/error.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <algorithm>
#include <cstdint>

#include "text/prefix.h"
#include "text/utf8.h"

namespace rune::text {
namespace {

constexpr std::size_t kLongestStretch = std::size_t{1} << 28;  // bytes that ICU is given at a time

void require(UErrorCode status) {
  if (U_FAILURE(status)) throw InputError(std::string("a text could not be treated: ") + u_errorName(status));
}

icu::StringPiece piece_of(std::string_view text) { return {text.data(), static_cast<std::int32_t>(text.size())}; }

std::string in_case(std::string_view text, const TextForm& form) {
  if (!form.lowercase && !form.fold_case) return std::string(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode status = U_ZERO_ERROR;
  if (form.fold_case) {
    icu::CaseMap::utf8Fold(0, piece_of(text), sink, nullptr, status);
  } else {
    icu::CaseMap::utf8ToLower("", 0, piece_of(text), sink, nullptr, status);
  }
  require(status);
  return out;
}

std::string normalized(std::string text, Normalization form) {
  if (form == Normalization::none) return text;
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const normalizer =
      form == Normalization::nfc ? icu::Normalizer2::getNFCInstance(status) : icu::Normalizer2::getNFKCInstance(status);
  require(status);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  normalizer->normalizeUTF8(0, piece_of(text), sink, nullptr, status);
  require(status);
  return out;
}

}  // namespace

bool is_changed(const TextForm& form) {
  return form.lowercase || form.fold_case || form.normalize != Normalization::none;
}

std::string treated(std::string_view text, const TextForm& form) {
  if (!is_changed(form)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t valid = valid_prefix(text.substr(0, kLongestStretch));
    out += normalized(in_case(text.substr(0, valid), form), form.normalize);
    text.remove_prefix(valid);
    if (text.empty()) break;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

TextForm form_like(const TextForm& known, const TextForm& asked) {
  TextForm form = asked;
  form.unit = known.unit;
  form.lowercase = form.lowercase || known.lowercase;
  form.fold_case = form.fold_case || known.fold_case;
  form.raw = form.raw || known.raw;
  if (known.normalize != Normalization::none) form.normalize = known.normalize;
  return form;
}

}  // namespace rune::text
