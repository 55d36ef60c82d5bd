#include "tools/gnuplot.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "text/utf8.h"
#include "tools/program.h"

namespace rune::tools {
namespace {

// gnuplot repeats the line that it stumbles over, and points at a place in it from the next.
std::string in_one_line(const std::string& said) {
  constexpr std::size_t kMost = 400;
  std::string line;
  for (const char c : said.substr(0, kMost)) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  return line.empty() ? "it does not say why" : text::escape_controls(line);
}

struct CodePoints {
  std::uint32_t first;
  std::uint32_t last;
};

// Of all fonts, from lines of hexadecimal ranges: ":charset=20-7e a0 100-17f".
std::vector<CodePoints> installed_code_points() {
  const std::string list = run_program({"fc-list", ":", "charset"}, "").out;
  std::vector<CodePoints> found;
  const char* const end = list.data() + list.size();
  for (const char* at = list.data(); at < end;) {
    CodePoints range{};
    auto [after, error] = std::from_chars(at, end, range.first, 16);
    // Only what follows a sign of equality or a space is a number: there are digits in the word charset.
    if (error != std::errc() || (at != list.data() && at[-1] != '=' && at[-1] != ' ')) {
      ++at;
      continue;
    }
    range.last = range.first;
    if (after < end && *after == '-') after = std::from_chars(after + 1, end, range.last, 16).ptr;
    found.push_back(range);
    at = after;
  }
  return found;
}

}  // namespace

std::string run_gnuplot(std::string_view script) {
  ProgramResult result = run_program({"gnuplot", "--default-settings", "-"}, script);
  if (!result.found) {
    throw FileError(
        "expected the program gnuplot, which draws the plots, found none in PATH; install it: sudo apt-get install "
        "gnuplot-nox");
  }
  if (!result.failure.empty()) {
    throw FileError(fmt::format("gnuplot failed ({}): {}", result.failure, in_one_line(result.err)));
  }
  if (result.out.empty()) throw FileError(fmt::format("gnuplot drew nothing: {}", in_one_line(result.err)));
  return std::move(result.out);
}

void replace_missing_glyphs(std::span<std::string> texts) {
  const auto is_ascii = [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  if (std::ranges::all_of(texts, is_ascii)) return;
  const std::vector<CodePoints> installed = installed_code_points();
  for (std::string& text : texts) {
    std::u32string decoded = text::decode_utf8(text, "label");
    for (char32_t& c : decoded) {
      const bool has = c < 0x80 || std::ranges::any_of(installed, [&](const CodePoints& range) {
                         return range.first <= c && c <= range.last;
                       });
      if (!has) c = U'\uFFFD';
    }
    text = text::encode_utf8(decoded);
  }
}

}  // namespace rune::tools
