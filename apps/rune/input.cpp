#include "input.h"

#include <unistd.h>

#include <cstddef>
#include <iostream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "base/file.h"

namespace rune::app {

std::string standard_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

void keep_standard_input(const std::filesystem::path& path) {
  constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes
  std::string block;
  write_file_atomically(path, [&]() -> std::string_view {
    block.resize(kBlock);
    std::cin.read(block.data(), static_cast<std::streamsize>(block.size()));
    return std::string_view(block).substr(0, static_cast<std::size_t>(std::cin.gcount()));
  });
}

KeptInput::KeptInput() : path_(std::filesystem::temp_directory_path() / ("rune-input-" + std::to_string(::getpid()))) {
  keep_standard_input(path_);
}

KeptInput::~KeptInput() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace rune::app
