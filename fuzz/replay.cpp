// Runs a target over files, in builds without libFuzzer: seeds and regressions in ordinary tests.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include "base/file.h"
#include "target.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (const std::string& folder : std::vector<std::string>(argv + 1, argv + argc)) {
    if (!fs::is_directory(folder)) continue;  // a target without regressions
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    std::cout << file.filename().string() << std::endl;  // the last one that is named is the one that failed
    const std::string bytes = rune::read_file(file);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::cout << files.size() << " inputs\n";
  return files.empty() ? 1 : 0;
}
