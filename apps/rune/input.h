#pragma once

#include <filesystem>
#include <string>

namespace rune::app {

/// All of standard input.
std::string standard_input();

/// Copies all of it to a file, as a whole or not at all, without holding it in memory.
void keep_standard_input(const std::filesystem::path& path);

/// A copy of it in the folder for temporary files, for what reads a text more than once; gone with this object.
class KeptInput {
 public:
  KeptInput();
  ~KeptInput();
  KeptInput(const KeptInput&) = delete;
  KeptInput& operator=(const KeptInput&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace rune::app
