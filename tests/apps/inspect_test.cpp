#include <gmock/gmock.h>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::HasSubstr;

class Inspect : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(1500));
    ASSERT_EQ(run(training("book.txt", "run", {"--steps", "20", "--eval-every", "10", "--embedding", "6"})).exit_code,
              0);
  }
};

TEST_F(Inspect, JsonSaysWhatTheModelIsAndHowFarItCame) {
  const Result result = run({"inspect", "run/last.safetensors", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["model"]["cell"], "lstm");
  EXPECT_EQ(json["model"]["hidden_size"], 24);
  EXPECT_EQ(json["alphabet"].get<std::string>().substr(0, 4), "\n .a");
  EXPECT_EQ(json["step"], 20);
  EXPECT_EQ(json["validation_loss"], metrics("run").back()["validation_loss"]);
  std::int64_t count = 0;
  for (const auto& tensor : json["parameters"]) {
    std::int64_t size = 1;
    for (const std::int64_t length : tensor["shape"]) size *= length;
    count += size;
  }
  EXPECT_EQ(json["parameter_count"], count);
  EXPECT_EQ(json["parameters"][0]["name"], "embedding.weight");
}

TEST_F(Inspect, PlainOutputNamesEveryTensor) {
  const Result result = run({"inspect", "run"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const std::string name : {"embedding.weight", "lstm.weight_ih_l0", "lstm.bias_hh_l0", "fc.bias"}) {
    EXPECT_THAT(result.out, HasSubstr(name));
  }
}

TEST_F(Inspect, RefusesADamagedFile) {
  std::string bytes = read("run/last.safetensors");
  write("cut.safetensors", bytes.substr(0, bytes.size() - 8));
  const Result result = run({"inspect", "cut.safetensors"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("cut.safetensors"));
}

}  // namespace
}  // namespace rune::test
