#include "output.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include <rune/error.h>
#include "text/utf8.h"

namespace rune::app {
namespace {

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

Output::Output(Controls controls) : escape_(controls == Controls::escape && is_terminal(STDOUT_FILENO)) {}

Output::~Output() { write_all(STDOUT_FILENO, buffer_); }

void Output::write(std::string_view utf8) {
  buffer_ += escape_ ? text::escape_controls(utf8) : utf8;
  const auto now = std::chrono::steady_clock::now();
  if (now - flushed_ < std::chrono::milliseconds(20)) return;
  flush();
  flushed_ = now;
}

void Output::flush() {
  const std::string bytes = std::exchange(buffer_, {});
  if (!write_all(STDOUT_FILENO, bytes)) {
    throw FileError(fmt::format("standard output: {}", std::strerror(errno)));
  }
}

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

TerminalSize terminal_size(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::size_t terminal_width() { return terminal_size(STDERR_FILENO).columns; }

std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : text::escape_controls(text)) line += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
  return line;
}

void message(std::string_view text) { draw(text::escape_controls(text)); }

void draw(std::string_view text) { write_all(STDERR_FILENO, text); }

}  // namespace rune::app
