#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace rune::test {

/// The variable PATH, as long as this lives. Other threads must not read it meanwhile.
class SearchPath {
 public:
  explicit SearchPath(const std::filesystem::path& folder) : before_(getenv("PATH")) {
    setenv("PATH", folder.c_str(), 1);
  }
  SearchPath(const SearchPath&) = delete;
  SearchPath& operator=(const SearchPath&) = delete;
  ~SearchPath() { setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

/// Puts a shell script in the place of a program.
inline void write_program(const std::filesystem::path& file, const std::string& script) {
  std::ofstream(file) << "#!/bin/sh\n" << script << '\n';
  chmod(file.c_str(), 0755);
}

}  // namespace rune::test
