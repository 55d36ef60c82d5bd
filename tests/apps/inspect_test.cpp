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

TEST_F(Inspect, ATextIsCheckedBeforeTraining) {
  write("text.txt", "Project Gutenberg\n" + sentences(1500) + "caf\u00c3\u00a9 \x01\n");
  const Result result = run({"inspect", "text.txt", "--json", "--minutes", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["files"][0]["encoding"], "UTF-8");
  EXPECT_EQ(json["tokens"], count_characters(read("text.txt")));
  EXPECT_EQ(json["units"][0][0], " ");
  EXPECT_EQ(json["suspicions"].size(), 2U);
  EXPECT_EQ(json["boilerplate"][0]["line"], "Project Gutenberg");
  ASSERT_EQ(json["entropies"].size(), 6U);
  EXPECT_GT(json["entropies"][0], json["entropies"][3]);
  EXPECT_GT(json["suggestion"]["epochs"], 0);
  EXPECT_GT(json["suggestion"]["memory"], 1e6);
  const Result page = run({"inspect", "text.txt", "--minutes", "1"});
  EXPECT_THAT(page.out, HasSubstr("rune train text.txt --minutes 1\n    LSTM 2 x "));
  EXPECT_THAT(page.out, HasSubstr("windows-1252"));
}

TEST_F(Inspect, TheSuggestionReadsTheTextInTheSameWay) {
  write("a text.csv", "id,body\n1,one two three\n2,four five six\n3,seven eight nine\n");
  const Result page =
      run({"inspect", "a text.csv", "--records", "csv", "--field=body", "--minutes", "1", "--lowercase"});
  EXPECT_THAT(page.out, HasSubstr("rune train 'a text.csv' --records csv --field=body --lowercase --minutes 1\n"));
}

TEST_F(Inspect, AStrangeTextIsNoFailure) {
  write("one.txt", "x");
  write("same.txt", std::string(500, 'x'));
  for (const char* text : {"one.txt", "same.txt"}) EXPECT_EQ(run({"inspect", text}).exit_code, 0) << text;
  write("empty.txt", "");
  EXPECT_EQ(run({"inspect", "empty.txt"}).exit_code, 1);
}

}  // namespace
}  // namespace rune::test
