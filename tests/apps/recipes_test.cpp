#include <gmock/gmock.h>

#include <map>
#include <set>

#include <toml++/toml.h>

#include "apps/program.h"

// Every recipe does on a small text what its page says: batches, splits, schedules, symbols and the losses counted.
namespace rune::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kSize = 4000;

class Recipe : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("text.txt", text());
  }

  /// kSize ASCII characters: words in both cases, "for thos" among them, and one # alone.
  static std::string text() {
    const std::vector<std::string> words{"for", "thos", "The", "river", "And", "I", "went", "on", "these", "paths"};
    const RandomStream random(3, RandomPurpose::shuffle);
    std::string result = "for thos # ";
    for (std::uint64_t i = 0; result.size() < kSize; ++i) {
      const std::uint32_t bits = random.bits(i);
      result += words[bits % words.size()] + (bits % 7 == 0 ? ".\n" : " ");
    }
    return result.substr(0, kSize);
  }
  static std::size_t distinct(const std::string& text) { return std::set<char>(text.begin(), text.end()).size(); }
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    return text;
  }

  /// Trains a recipe, made small by `more`, into the run `run`.
  void train(const std::string& recipe, const Arguments& more, const std::string& file = "text.txt") {
    Arguments arguments{"train", file, "--recipe", recipe, "-o", "run", "--hidden-size", "12", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = run(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    summary_ = result.err;
    lines_ = metrics("run");
    config_ = toml::parse(read("run/config.toml"));
  }

  [[nodiscard]] nlohmann::json inspect(const std::string& model = "run") const {
    return nlohmann::json::parse(run({"inspect", model, "--json"}).out);
  }
  [[nodiscard]] std::vector<double> values(const std::string& key) const {
    std::vector<double> result;
    for (const auto& line : lines_) result.push_back(line[key]);
    return result;
  }
  [[nodiscard]] std::string samples() const { return read("run/samples.txt"); }

  std::string summary_;
  std::vector<nlohmann::json> lines_;
  toml::table config_;
};

TEST_F(Recipe, AreListedAndPrintedAndReadBack) {
  const std::string list = run({"recipes"}).out;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < list.size(); begin = list.find('\n', begin) + 1) {
    if (list[begin] == ' ') continue;
    ++count;
    const std::string name = list.substr(begin, list.find(' ', begin) - begin);
    const Result printed = run({"recipes", name});
    ASSERT_EQ(printed.exit_code, 0) << printed.err;
    EXPECT_THAT(printed.out, StartsWith("# "));
    EXPECT_NO_THROW((void)toml::parse(printed.out)) << name;
  }
  EXPECT_EQ(count, 19U);
  EXPECT_EQ(run({"recipes", "nietzsche-lstm-restarts"}).out, run({"recipes", "nietzsche-10"}).out);
  const Result unknown = run({"recipes", "nietzche-9"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'nietzsche-9'?"));
}

TEST_F(Recipe, AFileIsARecipeToo) {
  write("mine.toml", run({"recipes", "holmes-1"}).out);
  train("mine.toml", {"--first-characters", "203", "--epochs", "1"});
  EXPECT_EQ(lines_.back()["step"], 9);
  write("wrong.toml", "[train]\nbatch_sizes = 3\n");
  const Result wrong = run({"train", "text.txt", "--recipe", "wrong.toml", "-o", "other"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, testing::AllOf(HasSubstr("wrong.toml:2:1"), HasSubstr("did you mean 'batch_size'?")));
}

TEST_F(Recipe, FlagsOverride) {
  train("nietzsche-4",
        {"--no-shuffle", "--batch-size", "64", "--schedule", "constant", "--lr", "0.002", "--epochs", "1"});
  EXPECT_EQ(config_["train"]["shuffle"].value<bool>(), false);
  EXPECT_EQ(lines_.back()["learning_rate"], 0.002);
  const Result stages = run({"train", "text.txt", "--recipe", "nietzsche-4", "-o", "other", "--lr", "0.1"});
  EXPECT_EQ(stages.exit_code, 2);
  EXPECT_THAT(stages.err, HasSubstr("--schedule"));
}

// H: chunks in order from a zero state, summed loss, 100 printable characters, a loss over the training text alone.
TEST_F(Recipe, HolmesOne) {
  train("holmes-1", {"--first-characters", "203", "--epochs", "2"});
  EXPECT_EQ(values("step"), (std::vector<double>{9, 18})) << "202 targets in chunks of 25";
  EXPECT_EQ(values("characters"), (std::vector<double>{202, 404}));
  EXPECT_EQ(values("learning_rate"), (std::vector<double>{0.005, 0.005}));
  EXPECT_TRUE(lines_.back()["validation_loss"].is_null());
  EXPECT_EQ(inspect()["alphabet_size"], 100);
  EXPECT_EQ(inspect()["model"]["cell"], "gru");
  EXPECT_EQ(config_["train"]["reduction"].value<std::string>(), "sum");
  EXPECT_EQ(config_["train"]["clip_norm"].value<double>(), 0);
  const std::string sample = samples().substr(samples().find('\n') + 1);
  EXPECT_THAT(sample, StartsWith("I"));
}

TEST_F(Recipe, HolmesTwoAndThree) {
  const std::map<std::string, std::tuple<int, double, int>> expected{{"holmes-2-100", {100, 0.05, 11}},
                                                                     {"holmes-2-200", {200, 0.05, 6}},
                                                                     {"holmes-3-100", {100, 0.005, 11}},
                                                                     {"holmes-3-200", {200, 0.005, 6}}};
  for (const auto& [name, figures] : expected) {
    const auto& [chunk, rate, steps] = figures;
    train(name, {"--first-characters", "1003", "--epochs", "1"});
    EXPECT_EQ(lines_.back()["step"], steps) << name;
    EXPECT_EQ(lines_.back()["characters"], 1002) << name;
    EXPECT_EQ(lines_.back()["learning_rate"], rate) << name;
    EXPECT_EQ(inspect()["model"]["layers"], 2) << name;
    EXPECT_EQ(config_["train"]["sequence_length"].value<int>(), chunk) << name;
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(Recipe, HolmesFourStepsItsRateDownEveryTenEpochs) {
  train("holmes-4", {"--first-characters", "400", "--epochs", "21", "--lr", "0.0005"});  // at 0.05 it diverges
  const auto rates = values("learning_rate");
  ASSERT_EQ(rates.size(), 21U);
  EXPECT_DOUBLE_EQ(rates[9], 0.0005);
  EXPECT_DOUBLE_EQ(rates[10], 0.0001);
  EXPECT_DOUBLE_EQ(rates[20], 0.00002);
  EXPECT_EQ(config_["optimizer"]["kind"].value<std::string>(), "sgd");
}

// A: streams with carried state; the validation split in rows like those of training.
TEST_F(Recipe, Anna) {
  train("anna", {"--batch-size", "4", "--sequence-length", "16", "--epochs", "1"});
  EXPECT_EQ(lines_.back()["step"], 56) << "3,600 characters in blocks of 64";
  EXPECT_EQ(lines_.size(), 6U) << "every ten steps, and at the end";
  EXPECT_EQ(lines_[0]["step"], 10);
  EXPECT_EQ(lines_[0]["characters"], 640);
  EXPECT_EQ(lines_[0]["protocol"], "rows:4");
  EXPECT_EQ(inspect()["alphabet_size"], distinct(text()));
  EXPECT_EQ(inspect()["model"]["output_dropout"], 0.5);
  EXPECT_EQ(config_["train"]["clip_norm"].value<double>(), 5);
  EXPECT_THAT(samples(), HasSubstr("\nThe"));
}

// N1: windows of 3 at stride 3, a loss on their last step, the last window alone for validation.
TEST_F(Recipe, NietzscheOne) {
  train("nietzsche-1", {"--batch-size", "16"});
  constexpr int kWindows = (kSize - 1 - 3) / 3 + 1;
  constexpr int kSteps = (kWindows - 1 + 15) / 16;
  EXPECT_EQ(values("step"), (std::vector<double>{kSteps, 2 * kSteps}));
  EXPECT_EQ(values("characters"), (std::vector<double>{kWindows - 1, 2 * (kWindows - 1)}));
  EXPECT_EQ(values("learning_rate"), (std::vector<double>{0.01, 0.001}));
  EXPECT_EQ(lines_.back()["protocol"], "batches");
  EXPECT_EQ(inspect()["alphabet_size"], distinct(text()) + 1) << "<pad>";
  EXPECT_EQ(inspect()["model"]["cell"], "loop");
  EXPECT_THAT(summary_, HasSubstr("1 of its windows"));
}

// N2 to N4: overlapping windows of 8, a loss on their last step, a fifth of them at random for validation.
TEST_F(Recipe, NietzscheTwoToFour) {
  constexpr int kWindows = kSize - 8;
  constexpr int kTrained = kWindows - kWindows / 5;
  constexpr int kSteps = (kTrained + 63) / 64;
  const std::map<std::string, std::tuple<std::string, int, double, double>> expected{
      {"nietzsche-2", {"loop", 2, 0.01, 0.001}},
      {"nietzsche-3", {"loop_concat", 2, 0.001, 0.0001}},
      {"nietzsche-4", {"rnn", 6, 0.001, 0.0001}}};
  for (const auto& [name, figures] : expected) {
    const auto& [cell, epochs, first_rate, last_rate] = figures;
    train(name, {"--batch-size", "64"});
    ASSERT_EQ(lines_.size(), static_cast<std::size_t>(epochs)) << name;
    EXPECT_EQ(lines_[0]["step"], kSteps) << name;
    EXPECT_EQ(lines_[0]["characters"], kTrained) << name;
    EXPECT_EQ(lines_.front()["learning_rate"], first_rate) << name;
    EXPECT_EQ(lines_.back()["learning_rate"], last_rate) << name;
    EXPECT_LT(lines_.back()["validation_loss"], lines_.front()["validation_loss"]) << name;
    EXPECT_EQ(inspect()["model"]["cell"], cell) << name;
    EXPECT_THAT(samples(), HasSubstr("\nfor thos")) << name;
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(Recipe, NietzscheFourWritesWithASlidingWindow) {
  train("nietzsche-4", {"--batch-size", "64", "--epochs", "1"});
  const Arguments sample{"sample", "run", "-p", "for thos", "-n", "60", "--temperature", "0", "--window", "8"};
  const std::string text = run(sample).out;
  // Eight characters decide the next one, wherever they stand.
  std::map<std::string, char> next;
  for (std::size_t i = 0; i + 8 < text.size(); ++i) {
    EXPECT_EQ(next.try_emplace(text.substr(i, 8), text[i + 8]).first->second, text[i + 8]) << text;
  }
  Arguments carried = sample;
  carried.insert(carried.end(), {"--window-state", "carry"});
  EXPECT_EQ(run(carried).out.size(), text.size());
  const auto shown = nlohmann::json::parse(run({"next", "run", "for thos", "-k", "1", "--json"}).out);
  EXPECT_EQ(shown[0]["character"], text.substr(8, 1));
}

// N5, N6: windows side by side, a loss on every step.
TEST_F(Recipe, NietzscheFiveAndSix) {
  constexpr int kWindows = (kSize - 1) / 8;
  constexpr int kTrained = kWindows - kWindows / 5;
  for (const std::string name : {"nietzsche-5", "nietzsche-6"}) {
    train(name, {"--batch-size", "32"});
    EXPECT_EQ(lines_[0]["step"], (kTrained + 31) / 32) << name;
    EXPECT_EQ(lines_[0]["characters"], 8 * kTrained) << name;
    EXPECT_EQ(lines_.size(), name == "nietzsche-5" ? 5U : 8U);
    EXPECT_EQ(lines_[3]["learning_rate"], name == "nietzsche-5" ? 0.001 : 0.01);
    EXPECT_EQ(lines_[4]["learning_rate"], name == "nietzsche-5" ? 0.0001 : 0.001);
    EXPECT_EQ(inspect()["model"]["init"], name == "nietzsche-5" ? "uniform" : "identity");
    std::filesystem::remove_all(path("run"));
  }
}

// N7 to N9: lower case, rare characters unknown, 64 streams of random lengths, a state that is never reset.
TEST_F(Recipe, NietzscheSevenToNine) {
  constexpr int kRow = (kSize - 500) / 8;
  const std::map<std::string, std::pair<std::string, int>> expected{
      {"nietzsche-7", {"rnn", 8}}, {"nietzsche-8", {"rnn", 4}}, {"nietzsche-9", {"gru", 9}}};
  for (const auto& [name, figures] : expected) {
    train(name, {"--batch-size", "8", "--validation-characters", "500"});
    ASSERT_EQ(lines_.size(), static_cast<std::size_t>(figures.second)) << name;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      EXPECT_EQ(lines_[i]["epoch"], static_cast<double>(i + 1)) << name;
      const double before = i == 0 ? 0 : lines_[i - 1]["step"].get<double>();
      EXPECT_LE(lines_[i]["step"].get<double>() - before, kRow / 8 - 1) << name;
      const double characters =
          lines_[i]["characters"].get<double>() - (i == 0 ? 0 : lines_[i - 1]["characters"].get<double>());
      EXPECT_LE(characters, 8 * (kRow - 1)) << name;
      EXPECT_GE(characters, 8 * (kRow - 1) * 0.7) << name;
    }
    EXPECT_NE(lines_[1]["step"].get<int>(), 2 * lines_[0]["step"].get<int>()) << "lengths are drawn anew";
    EXPECT_EQ(lines_.back()["protocol"], "batches") << name;
    EXPECT_EQ(inspect()["model"]["cell"], figures.first) << name;
    EXPECT_EQ(inspect()["alphabet_size"], distinct(lower(text())) - 1 + 2) << "without #, with <unk> and <pad>";
    EXPECT_EQ(config_["train"]["reset_state"].value<std::string>(), "never");
    std::filesystem::remove_all(path("run"));
  }
}

// N10: cosine annealing with restarts per batch, a file for every cycle, coupled weight decay.
TEST_F(Recipe, NietzscheTen) {
  const Arguments small{"--batch-size", "16", "--validation-characters", "500", "--epochs", "3"};
  train("nietzsche-10", small);
  EXPECT_EQ(values("learning_rate"), (std::vector<double>{0.01, 0.01, 0.0001})) << "a slow start of 49 batches";
  EXPECT_EQ(config_["optimizer"]["weight_decay"].value<double>(), 1e-5);
  EXPECT_EQ(inspect()["model"]["output_dropout"], 0);
  EXPECT_EQ(inspect()["model"]["dropout"], 0.5);
  std::filesystem::remove_all(path("run"));

  train("nietzsche-10", {"--batch-size", "8", "--validation-characters", "500", "--schedule", "restarts:5:2", "--steps",
                         "20", "--eval-every", "5"});
  EXPECT_EQ(inspect("run/cycle-1.safetensors")["step"], 5);
  EXPECT_EQ(inspect("run/cycle-2.safetensors")["step"], 15);
  EXPECT_FALSE(std::filesystem::exists(path("run/cycle-3.safetensors")));
}

class Tweets : public Recipe {
 protected:
  /// 210 rows with quotes, commas, newlines; a link alone and one of 141 characters among them.
  void SetUp() override {
    Recipe::SetUp();
    std::string csv;
    for (int i = 0; i < 210; ++i) {
      const std::string number = std::to_string(i);
      if (i == 5) {
        csv += "https://example.org/" + number + "\n";
      } else if (i == 6) {
        csv += std::string(141, 'x') + "\n";
      } else if (i == 200) {
        csv += "\"say \"\"hi\"\",\nyou\",second column\n";
      } else {
        csv += "\"@a" + number + ", b\"\n";
        characters_ += 2 + number.size() + 3 + 1;  // and <EOS>
      }
    }
    characters_ += std::string("say \"hi\",\nyou").size() + 1;
    write("tweets.csv", csv);
  }
  std::size_t characters_ = 0;
};

TEST_F(Tweets, OneIsLearnedByHeart) {
  const Result result = run({"train", "tweets.csv", "--recipe", "tweet-one", "-o", "run", "--steps", "400"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto lines = metrics("run");
  ASSERT_EQ(lines.size(), 4U) << "every 100 steps";
  EXPECT_EQ(lines[0]["characters"], 100 * 14) << "13 characters and <EOS>";
  EXPECT_EQ(inspect()["alphabet_size"], 11 + 2) << "<BOS> and <EOS>";
  const Result sample = run({"sample", "run", "--temperature", "0.8", "--num-samples", "10", "-n", "100"});
  std::size_t recited = 0;
  for (std::size_t at = 0; (at = sample.out.find("---\nsay \"hi\",\nyou\n", at)) != std::string::npos; ++at) ++recited;
  EXPECT_EQ(recited, 10U) << sample.out;
}

TEST_F(Tweets, AllAreBatchedByLengthWithoutCountingPadding) {
  train("tweets", {"--epochs", "2"}, "tweets.csv");
  EXPECT_EQ(lines_.back()["step"], 2 * 7) << "208 records in batches of 32";
  EXPECT_EQ(lines_.back()["characters"], 2 * characters_);
  EXPECT_EQ(lines_.back()["learning_rate"], 0.004);
  const auto model = inspect();
  EXPECT_THAT(model["alphabet"].get<std::string>(), StartsWith("<unk><pad><BOS><EOS>"));
  EXPECT_THAT(summary_, HasSubstr("Records: 208"));
}

}  // namespace
}  // namespace rune::test
