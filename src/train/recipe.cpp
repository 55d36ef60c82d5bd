#include "train/recipe.h"

#include <algorithm>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"
#include "train/option_text.h"

namespace rune::train {

std::vector<Recipe> recipes() {
  std::vector<Recipe> all;
  for (const EmbeddedRecipe& recipe : embedded_recipes()) {
    all.push_back(recipe_from_toml(std::string(recipe.toml), fmt::format("recipes/{}.toml", recipe.name)));
  }
  return all;
}

Recipe find_recipe(const std::string& name_or_path) {
  if (name_or_path.ends_with(".toml") || name_or_path.find('/') != std::string::npos) {
    return recipe_from_toml(read_file(name_or_path), name_or_path);
  }
  std::vector<Recipe> all = recipes();
  std::vector<std::string_view> names;
  for (Recipe& recipe : all) {
    if (recipe.name == name_or_path || std::ranges::find(recipe.aliases, name_or_path) != recipe.aliases.end()) {
      return std::move(recipe);
    }
    names.push_back(recipe.name);
    names.insert(names.end(), recipe.aliases.begin(), recipe.aliases.end());
  }
  throw InputError(
      fmt::format("expected the name of a recipe, or a file that ends in .toml, found '{}'{}; rune recipes "
                  "lists them",
                  name_or_path, suggestion(name_or_path, names)));
}

}  // namespace rune::train
