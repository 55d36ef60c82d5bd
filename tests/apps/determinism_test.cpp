#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "apps/program.h"

namespace rune::test {
namespace {

/// A way of computing, in which the same numbers give the same bits.
struct Path {
  const char* isa;
  const char* precision;
};

#if defined(__x86_64__)
constexpr Path kPaths[] = {
    {"baseline", "f32"}, {"avx2", "f32"}, {"avx512", "f32"}, {"avx512", "bf16"}, {"amx", "bf16"}};
#elif defined(__aarch64__)
constexpr Path kPaths[] = {{"neon", "f32"}};
#endif

class EveryPath : public ProgramTest, public testing::WithParamInterface<Path> {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    ASSERT_EQ(setenv("RUNE_ISA", GetParam().isa, 1), 0);
  }
  void TearDown() override {
    unsetenv("RUNE_ISA");
    ProgramTest::TearDown();
  }

  [[nodiscard]] Result train(const std::string& run_name, const std::string& threads) const {
    Arguments options{"--cell",  "lstm", "--layers",     "2", "--hidden-size", "72", "--batch-size", "9",
                      "--steps", "8",    "--eval-every", "4", "--dropout",     "0.3"};
    options.insert(options.end(), {"--precision", GetParam().precision, "--threads", threads});
    return run(training("text", run_name, options));
  }
  [[nodiscard]] Result sample(const std::string& run_name, const std::string& threads) const {
    return run({"sample", run_name, "-n", "100", "--num-samples", "9", "--seed", "3", "--precision",
                GetParam().precision, "--threads", threads});
  }
};

// Training, evaluation and writing. With 8 threads some have one stream, others two.
TEST_P(EveryPath, GivesTheSameBitsOnAnyNumberOfThreads) {
  write("text", sentences(3000));
  const Result first = train("1", "1");
  for (const char* refusal : {"RUNE_ISA=", "bf16 needs a processor"}) {
    if (first.err.find(refusal) != std::string::npos) GTEST_SKIP() << first.err;
  }
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const auto model = format::SafetensorsFile::read(path("1/last.safetensors"));
  const auto position = nlohmann::json::parse(model.meta("rune.train"));
  ASSERT_EQ(position.at("isa"), GetParam().isa);
  ASSERT_EQ(position.at("precision"), GetParam().precision);
  const Result text = sample("1", "1");
  ASSERT_EQ(text.exit_code, 0) << text.err;

  for (const std::string threads : {"2", "3", "4", "8"}) {
    const Result result = train(threads, threads);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(same_checkpoint("1/last.safetensors", threads + "/last.safetensors")) << threads << " threads";
    EXPECT_TRUE(same_checkpoint("1/best.safetensors", threads + "/best.safetensors")) << threads << " threads";
    EXPECT_EQ(metrics(threads), metrics("1")) << threads << " threads";
    EXPECT_EQ(sample("1", threads).out, text.out) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryPath, testing::ValuesIn(kPaths),
                         [](const auto& test) { return std::string(test.param.isa) + "_" + test.param.precision; });

}  // namespace
}  // namespace rune::test
