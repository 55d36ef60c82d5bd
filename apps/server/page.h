#pragma once

#include <span>
#include <string_view>

namespace rune::server {

/// A file of the page, embedded in the program.
struct PageFile {
  std::string_view path;  // "/", "/assets/index-5f3a.js"
  std::string_view content_type;
  std::string_view content;
};

/// All of them; none where the program was built without the page (RUNE_WEB).
std::span<const PageFile> page_files();

}  // namespace rune::server
