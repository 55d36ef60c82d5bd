#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rune/options.h>

#include "text/encoding.h"

namespace rune::text {

/// How a file was read.
struct Reading {
  std::string name;
  Encoding encoding;
  std::int64_t bytes = 0;
  std::int64_t characters = 0;
  std::int64_t invalid = 0;         // places that are no character in the encoding
  std::int64_t first_invalid = -1;  // the byte at which the first of them is
  // Line ends, as they were.
  std::int64_t lf = 0;
  std::int64_t crlf = 0;
  std::int64_t cr = 0;
  std::int64_t nel = 0;
};

/// Turns the bytes of a file into text, piece by piece: UTF-8, in which bytes that are no character stand as they are
/// where OnInvalid::bytes asks for that. A byte order mark is dropped; CR LF, CR and NEL become LF unless the form is
/// raw. The bytes must outlive it. Not thread-safe.
class Decoder {
 public:
  /// Throws InputError where the encoding is unknown or not sure.
  Decoder(std::string_view bytes, const std::string& name, const TextOptions& options);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  /// The next piece, about a megabyte, which ends with a line where lines are not longer; false: there is none. Throws
  /// InputError naming file and byte where the bytes are no character, unless on_invalid asks for something else.
  bool next(std::string& piece);
  /// Of what has been read so far.
  [[nodiscard]] const Reading& reading() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// A whole file, or another text in memory.
std::string decode(std::string_view bytes, const std::string& name, const TextOptions& options = {});

}  // namespace rune::text
