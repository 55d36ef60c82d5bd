#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tools/numbers.h"

namespace rune::app {

using tools::as_bytes;
using tools::as_time;
using tools::with_commas;

/// Results on stdout. Throws FileError when they cannot be written.
///
/// Text is given in whole characters and leaves in whole characters, at the latest 20 ms after the last that left.
class Output {
 public:
  /// What happens to control characters, when stdout is a terminal: text of our own passes, a model's is escaped.
  enum class Controls { pass, escape };

  explicit Output(Controls controls);
  /// Flushes as well; an error is lost here, so call flush() where it counts.
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view utf8);
  void flush();

 private:
  bool escape_;
  std::string buffer_;
  std::chrono::steady_clock::time_point flushed_{};
};

[[nodiscard]] bool is_terminal(int descriptor);

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
/// Of the terminal that a descriptor is; 80 x 24 where it does not say.
[[nodiscard]] TerminalSize terminal_size(int descriptor);
/// Columns of the terminal that stderr is.
[[nodiscard]] std::size_t terminal_width();

/// Text as it can stand in a line: control characters escaped, newlines and tabs too.
std::string in_one_line(std::string_view text);

/// Writes all of it to stderr at once; what cannot be written is lost, since there is nowhere to say so. Control
/// characters are escaped, and what is no character becomes U+FFFD: what a file or its name holds must not drive the
/// terminal that tells of it.
void message(std::string_view text);
/// The same as it is: our own control characters, which move the cursor.
void draw(std::string_view text);

}  // namespace rune::app
