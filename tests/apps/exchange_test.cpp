#include <gmock/gmock.h>

#include "apps/program.h"

// What PyTorch and ONNX Runtime make of these files is tested in tests/exchange.
namespace rune::test {
namespace {

using testing::HasSubstr;

class Exchange : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("book.txt", sentences(300));
  }
  void train(const Arguments& more) {
    Arguments all{"--steps", "2", "--validation-fraction", "0"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run(training("book.txt", "run", all));
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
};

TEST_F(Exchange, ASharedFileIsSmallerAndWritesTheSame) {
  train({});
  ASSERT_EQ(run({"export", "run", "-o", "small.safetensors", "--weights-only"}).exit_code, 0);
  EXPECT_LT(read("small.safetensors").size(), read("run/last.safetensors").size() / 2);
  EXPECT_EQ(run({"sample", "small.safetensors", "-n", "50"}).out, run({"sample", "run", "-n", "50"}).out);
}

TEST_F(Exchange, ACheckpointIsCopiedWhole) {
  train({});
  ASSERT_EQ(run({"export", "run/last.safetensors", "-o", "copy.safetensors"}).exit_code, 0);
  EXPECT_EQ(read("copy.safetensors"), read("run/last.safetensors"));
}

TEST_F(Exchange, AModelComesBack) {
  train({"--embedding", "4"});
  const Result result = run({"import", "run/last.safetensors", "-o", "again.safetensors"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("embedding"));
  EXPECT_EQ(run({"sample", "again.safetensors", "-n", "50"}).out, run({"sample", "run", "-n", "50"}).out);
}

TEST_F(Exchange, OnnxHoldsTheModelAndItsAlphabet) {
  train({"--cell", "gru"});
  const Result result = run({"export", "run", "-o", "model.onnx"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* const part : {"GRU", "linear_before_reset", "next_hidden", "rune.vocabulary"}) {
    EXPECT_THAT(read("model.onnx"), HasSubstr(part));
  }
}

TEST_F(Exchange, OnnxHasNoOperatorForRunesOwnCells) {
  for (const std::string cell : {"loop", "mingru"}) {
    train({"--cell", cell});
    const Result result = run({"export", "run", "-o", "model.onnx"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("none for " + cell));
    EXPECT_FALSE(std::filesystem::exists(path("model.onnx")));
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(Exchange, WrongUsage) {
  for (const Arguments& arguments : {Arguments{"export", "run"},
                                     {"export", "run", "-o", "model.pt"},
                                     {"export", "run", "-o", "model.onnx", "--weights-only"},
                                     {"import", "file.pt"},
                                     {"import", "file.pt", "-o", "model"},
                                     {"import", "-o", "m.safetensors"},
                                     {"import", "f", "-o", "m.safetensors", "--alphabet", "a", "--alphabet-of", "b"}}) {
    EXPECT_EQ(run(arguments).exit_code, 2) << testing::PrintToString(arguments);
  }
}

TEST_F(Exchange, AFileOfNoKnownFormatIsRefused) {
  for (const Arguments& arguments : {Arguments{"import", "book.txt", "-o", "m.safetensors"},
                                     {"import", "absent.pt", "-o", "m.safetensors"},
                                     {"export", "absent", "-o", "m.onnx"}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(arguments[1]));
  }
}

}  // namespace
}  // namespace rune::test
