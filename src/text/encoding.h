#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rune::text {

/// How the bytes of a file may be read as characters.
struct Encoding {
  std::string name;             // as ICU and IANA write it: UTF-8, windows-1252, GB18030
  int confidence = 100;         // in hundredths; 100: beyond doubt
  std::size_t mark_length = 0;  // bytes of the byte order mark in front
};

/// What a file is taken for without being told, by a byte order mark, by the zeros or the punctuation of UTF-16 and
/// UTF-32, as UTF-8 if less than a hundredth of its bytes is wrong in it, else by the statistics of ICU; the likeliest
/// first. Empty: binary.
std::vector<Encoding> detect_encodings(std::string_view bytes);

/// The encoding that `asked` names, or, for auto, the one that is detected. Throws InputError naming the file where
/// there is no such encoding, or where detection is not sure, with the candidates to choose from.
Encoding choose_encoding(std::string_view bytes, const std::string& asked, const std::string& file);

}  // namespace rune::text
