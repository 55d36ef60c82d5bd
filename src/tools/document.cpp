#include "tools/document.h"

#include <algorithm>

#include <fmt/format.h>

#include "text/utf8.h"

namespace rune::tools {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
table { display: block; overflow-x: auto; }
th, td { padding: 0.2rem 0.8rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
pre { background: #8881; padding: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1rem 0; background: white; }
figure svg, figure img { max-width: 100%; height: auto; }
)css";

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Every character that could mean something in Markdown, escaped; a line break would end a table's row.
std::string markdown_text(std::string_view text) {
  constexpr std::string_view kMarkup = "\\`*_{}[]<>()#+!|~";
  std::string out;
  for (const char c : text) {
    if (kMarkup.find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// A fence of more backquotes than any run of them in the text.
std::string fence_for(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return std::string(std::max<std::size_t>(3, longest + 1), '`');
}

// What stands in front of <svg> belongs to a file, not to a page.
std::string_view element_of(std::string_view svg) {
  const std::size_t begin = svg.find("<svg");
  return begin == std::string_view::npos ? svg : svg.substr(begin);
}

}  // namespace

Document::Document(std::string_view title)
    : head_(fmt::format("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                        "content=\"width=device-width\">\n<title>{}</title>\n<style>{}</style>\n",
                        html_text(title), kStyle)) {
  heading(1, title);
}

void Document::heading(int level, std::string_view text) {
  markdown_ += fmt::format("{} {}\n\n", std::string(static_cast<std::size_t>(level), '#'), markdown_text(text));
  body_ += fmt::format("<h{0}>{1}</h{0}>\n", level, html_text(text));
}

void Document::paragraph(std::string_view text) {
  markdown_ += markdown_text(text) + "\n\n";
  body_ += fmt::format("<p>{}</p>\n", html_text(text));
}

void Document::items(const std::vector<std::string>& texts) {
  body_ += "<ul>\n";
  for (const std::string& text : texts) {
    markdown_ += fmt::format("- {}\n", markdown_text(text));
    body_ += fmt::format("<li>{}</li>\n", html_text(text));
  }
  markdown_ += '\n';
  body_ += "</ul>\n";
}

void Document::table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  const auto row = [&](const std::vector<std::string>& cells, std::string_view cell) {
    markdown_ += '|';
    body_ += "<tr>";
    for (const std::string& text : cells) {
      markdown_ += fmt::format(" {} |", markdown_text(text));
      body_ += fmt::format("<{0}>{1}</{0}>", cell, html_text(text));
    }
    markdown_ += '\n';
    body_ += "</tr>\n";
  };
  body_ += "<table>\n";
  row(header, "th");
  markdown_ += '|';
  for (std::size_t i = 0; i < header.size(); ++i) markdown_ += i == 0 ? " --- |" : " ---: |";
  markdown_ += '\n';
  for (const auto& cells : rows) row(cells, "td");
  markdown_ += '\n';
  body_ += "</table>\n";
}

void Document::preformatted(std::string_view text) {
  const std::string shown = text::escape_controls(text);
  const std::string fence = fence_for(shown);
  markdown_ += fmt::format("{0}text\n{1}\n{0}\n\n", fence, shown);
  body_ += fmt::format("<pre>{}</pre>\n", html_text(shown));
}

void Document::picture(std::string_view svg, const std::string& file, std::string_view description) {
  markdown_ += fmt::format("![{}]({})\n\n", markdown_text(description), file);
  body_ += fmt::format("<figure role=\"img\" aria-label=\"{}\">{}</figure>\n", html_text(description), element_of(svg));
}

std::string Document::html() const { return head_ + body_; }

}  // namespace rune::tools
