#pragma once

#include <filesystem>
#include <string>

#include "tools/curves.h"
#include "train/config.h"

namespace rune::tools {

/// What is published of a system, as a curve: the file that its recipe names, if it lies in `data`, else the recipe's
/// own points. See read_csv. Empty points: nothing is published. Throws InputError naming file and line.
Curve published_curve(const train::Published& published, const std::filesystem::path& data);

}  // namespace rune::tools
