#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rune::test {

/// A zip archive of these files; `compression` is "store" or "deflate". A path may occur twice.
std::string zip(const std::vector<std::pair<std::string, std::string>>& files, const char* compression = "store");

}  // namespace rune::test
