#include "train/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <filesystem>
#include <set>
#include <string>

namespace rune::train {
namespace {

TEST(Recipe, EveryNameAndAliasIsFoundAndMeansOne) {
  std::set<std::string> names;
  for (const Recipe& recipe : recipes()) {
    EXPECT_FALSE(recipe.summary.empty()) << recipe.name;
    EXPECT_FALSE(recipe.aliases.empty()) << recipe.name;
    EXPECT_FALSE(recipe.corpus.empty()) << recipe.name;
    EXPECT_TRUE(names.insert(recipe.name).second);
    EXPECT_EQ(find_recipe(recipe.name).toml, recipe.toml);
    for (const std::string& alias : recipe.aliases) {
      EXPECT_TRUE(names.insert(alias).second) << alias;
      EXPECT_EQ(find_recipe(alias).name, recipe.name);
    }
  }
}

TEST(Recipe, PublishedFiguresAreLossesInTheOrderOfEpochs) {
  for (const Recipe& recipe : recipes()) {
    for (const auto& points : {recipe.published.train, recipe.published.validation}) {
      double before = 0;
      for (const auto& [epoch, loss] : points) {
        EXPECT_GT(epoch, before) << recipe.name;
        EXPECT_GT(loss, 1) << recipe.name;
        EXPECT_LT(loss, 4) << recipe.name;
        before = epoch;
      }
    }
  }
}

TEST(Recipe, IsReadLikeAConfiguration) {
  const Recipe recipe = recipe_from_toml(
      "summary = \"short\"\naliases = [\"b\"]\ncorpus = \"c.txt\"\n[model]\nlayers = 1\n[published]\ntrain = [[1, "
      "2.5]]\n",
      "folder/a.toml");
  EXPECT_EQ(recipe.name, "a");
  EXPECT_EQ(recipe.config.model.layers, 1);
  ASSERT_EQ(recipe.published.train.size(), 1U);
  EXPECT_EQ(recipe.published.train[0].loss, 2.5);
  const auto error_of = [](const std::string& toml) -> std::string {
    try {
      recipe_from_toml(toml, "a.toml");
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(error_of("sumary = \"x\"\n"), testing::HasSubstr("did you mean 'summary'?"));
  EXPECT_THAT(error_of("[published]\ntrain = [1]\n"), testing::HasSubstr("a.toml:2:"));
  EXPECT_THAT(error_of("[train]\nbatching = \"records\"\n"), testing::HasSubstr("records to be one of"));
}

TEST(Recipe, NamesOfEndlessPartsAreRefused) {
  for (const std::string& repeated : {std::string("a."), std::string("\"=\".")}) {
    std::string toml;
    for (int i = 0; i < 50'000; ++i) toml += repeated;
    EXPECT_THROW(recipe_from_toml(toml + "a = 1", "endless.toml"), InputError);
    EXPECT_THROW(recipe_from_toml("[" + toml + "a]", "endless.toml"), InputError);
    EXPECT_THROW(recipe_from_toml("b = {" + toml + "a = 1}", "endless.toml"), InputError);
  }
}

TEST(Recipe, ANameThatIsNoneIsRefused) {
  EXPECT_THROW(find_recipe("nietzsche"), InputError);
  EXPECT_THROW(find_recipe("missing.toml"), FileError);
}

}  // namespace
}  // namespace rune::train
