#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rune::tools {

/// A document that is written twice at once: as Markdown and as one self-contained HTML page. All text given to it is
/// plain: nothing in it can become markup. Not thread-safe.
class Document {
 public:
  explicit Document(std::string_view title);

  void heading(int level, std::string_view text);
  void paragraph(std::string_view text);
  void items(const std::vector<std::string>& texts);
  /// Cells of the first column are aligned to the left, the others to the right.
  void table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);
  /// As it stands, with its line breaks; control characters are escaped.
  void preformatted(std::string_view text);
  /// An SVG document: Markdown names the file, which lies beside it; HTML contains it.
  void picture(std::string_view svg, const std::string& file, std::string_view description);

  [[nodiscard]] const std::string& markdown() const { return markdown_; }
  [[nodiscard]] std::string html() const;

 private:
  std::string markdown_;
  std::string head_;
  std::string body_;
};

}  // namespace rune::tools
