#include <gmock/gmock.h>

#include "apps/program.h"

namespace rune::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

using Bench = ProgramTest;

TEST_F(Bench, ListsItsWorkloads) {
  const Result result = run({"bench", "--list"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("anna             train LSTM 2 x 512"), HasSubstr("\nwrite-64 ")));
  const Result json = run({"bench", "holmes-1", "--list", "--json"});
  const auto line = nlohmann::json::parse(json.out);
  EXPECT_EQ(line.at("cell"), "gru");
  EXPECT_EQ(line.at("carries_state"), false);
  EXPECT_EQ(line.at("reduction"), "sum");
}

TEST_F(Bench, MeasuresWhatIsNamed) {
  const Result table = run({"bench", "holmes-1", "write-gru", "--seconds", "0.01"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(StartsWith("| workload |"), HasSubstr("\n| holmes-1 |"), HasSubstr("\n| write-gru |"),
                               HasSubstr("GB/s read")));
  const Result json = run({"bench", "holmes-1", "--seconds", "0.01", "--threads", "1", "--json"});
  const auto line = nlohmann::json::parse(json.out);
  EXPECT_EQ(line.at("threads"), 1);
  EXPECT_GT(line.at("characters_per_second"), 0);
}

TEST_F(Bench, MeasuresAnotherShape) {
  const Result result = run({"bench", "anna", "--cell", "rnn", "--layers", "1", "--hidden-size", "16", "--batch-size",
                             "3", "--sequence-length", "5", "--seconds", "0.01"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("| anna | train RNN 1 x 16, 3 streams x 5 |"));
  const Result wrong = run({"bench", "anna", "--hidden-size", "0"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("hidden"));
}

TEST_F(Bench, MeasuresTheRoofsAlone) {
  const Result result = run({"bench", "--roofs", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(nlohmann::json::parse(result.out).at("multiply_adds"), 0);
  EXPECT_THAT(run({"bench", "--roofs", "--threads", "1"}).out, StartsWith("f32 multiply-adds "));
}

TEST_F(Bench, RefusesWhatIsNone) {
  const Result unknown = run({"bench", "holmes-9"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("unknown workload 'holmes-9'; did you mean 'holmes-1'?"));
  EXPECT_EQ(run({"bench", "--seconds", "0"}).exit_code, 2);
  EXPECT_EQ(run({"bench", "--threads", "-1"}).exit_code, 2);
}

}  // namespace
}  // namespace rune::test
