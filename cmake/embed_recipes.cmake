# embed_recipes(<target> <folder> <name>...): the files <folder>/<name>.toml as rune::train::embedded_recipes(), in this
# order, compiled into the target.
function(embed_recipes target folder)
  set(entries "")
  foreach(name IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${name}.toml)
    file(READ ${folder}/${name}.toml toml)
    string(APPEND entries "    {\"${name}\", R\"toml(${toml})toml\"},\n")
  endforeach()
  list(LENGTH ARGN count)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/embedded_recipes.cpp @ONLY CONTENT
       [[#include <array>

#include "train/recipe.h"

namespace rune::train {
namespace {

constexpr std::array<EmbeddedRecipe, @count@> kRecipes{{
@entries@}};

}  // namespace

std::span<const EmbeddedRecipe> embedded_recipes() { return kRecipes; }

}  // namespace rune::train
]])
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/embedded_recipes.cpp)
endfunction()
