#include "server/states.h"

#include <gtest/gtest.h>

#include "server/tiny_model.h"

namespace rune::server {
namespace {

using std::chrono::seconds;

class StatesTest : public testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const {
    return std::make_shared<const Snapshot>(Snapshot{model::State(model_->network.options(), 1), Matrix(1, 8)});
  }

  std::shared_ptr<const model::Model> model_ = tiny_model();
  States::Clock::time_point start_{};
};

TEST_F(StatesTest, AreFoundByTheirNamesAndModelsAlone) {
  States states({});
  const auto kept = snapshot();
  const std::string name = states.keep(model_, kept, start_);
  EXPECT_EQ(name.size(), std::string("state-").size() + 32);
  EXPECT_EQ(states.find(name, model_, start_), kept);
  EXPECT_EQ(states.find(name, tiny_model(), start_), nullptr);
  EXPECT_EQ(states.find("state-0", model_, start_), nullptr);
  EXPECT_NE(states.keep(model_, kept, start_), name);
}

TEST_F(StatesTest, AreForgottenAfterTheirTimeUnlessTheyAreUsed) {
  States states({.lifetime = seconds(10)});
  const std::string used = states.keep(model_, snapshot(), start_);
  const std::string unused = states.keep(model_, snapshot(), start_);
  EXPECT_NE(states.find(used, model_, start_ + seconds(8)), nullptr);
  EXPECT_EQ(states.find(unused, model_, start_ + seconds(11)), nullptr);
  EXPECT_NE(states.find(used, model_, start_ + seconds(11)), nullptr);
  EXPECT_EQ(states.count(), 1U);
}

TEST_F(StatesTest, AreBoundedInNumber) {
  States states({.count = 2});
  const std::string first = states.keep(model_, snapshot(), start_);
  const std::string second = states.keep(model_, snapshot(), start_);
  EXPECT_NE(states.find(first, model_, start_), nullptr);
  const std::string third = states.keep(model_, snapshot(), start_);
  EXPECT_EQ(states.find(second, model_, start_), nullptr) << "not used for the longest";
  EXPECT_NE(states.find(first, model_, start_), nullptr);
  EXPECT_NE(states.find(third, model_, start_), nullptr);
}

TEST_F(StatesTest, AreBoundedInMemory) {
  const std::size_t one = snapshot()->bytes();
  EXPECT_GT(one, 4 * 12 * sizeof(float));
  States states({.bytes = 3 * one});
  for (int i = 0; i < 10; ++i) {
    states.keep(model_, snapshot(), start_);
    EXPECT_LE(states.bytes(), 3 * one);
  }
  EXPECT_EQ(states.count(), 3U);
}

}  // namespace
}  // namespace rune::server
