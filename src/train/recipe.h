#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/config.h"

namespace rune::train {

/// A file of recipes/, embedded in the program.
struct EmbeddedRecipe {
  std::string_view name;
  std::string_view toml;
};
std::span<const EmbeddedRecipe> embedded_recipes();

/// All embedded recipes, in the order of the systems they restate: by family, then by number.
std::vector<Recipe> recipes();

/// `name_or_path`: the name or an alias of an embedded recipe, or the path of a file (it ends in .toml or has a slash).
/// Throws FileError, or InputError with a suggestion.
Recipe find_recipe(const std::string& name_or_path);

}  // namespace rune::train
