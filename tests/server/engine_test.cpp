#include "server/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rune/error.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "generate/generator.h"
#include "server/tiny_model.h"
#include "text/utf8.h"

namespace rune::server {
namespace {

using testing::Each;
using testing::HasSubstr;

class Collector : public Listener {
 public:
  explicit Collector(std::shared_ptr<const model::Model> model, std::size_t count = 1)
      : texts(count), ends_of(count), model_(std::move(model)) {}

  bool wanted() const override { return is_wanted; }
  void reads(std::size_t index, std::span<const float>) override { reported.push_back(index); }
  bool writes(std::size_t text, std::int32_t token, std::span<const float>) override {
    texts[text] += model_->vocabulary.decode({&token, 1});
    return texts[text].size() < enough;
  }
  void ends(std::size_t text, End end, std::shared_ptr<const Snapshot> kept) override {
    ends_of[text] = end;
    snapshot = std::move(kept);
  }
  void fails(const std::string& message) override { failure = message; }

  bool is_wanted = true;
  std::size_t enough = 1'000'000;  // bytes
  std::vector<std::string> texts;
  std::vector<std::optional<End>> ends_of;
  std::vector<std::size_t> reported;
  std::shared_ptr<const Snapshot> snapshot;
  std::string failure;

 private:
  std::shared_ptr<const model::Model> model_;
};

class EngineTest : public testing::Test {
 protected:
  [[nodiscard]] Job job(const std::vector<std::int32_t>& prompt, std::int64_t length, std::uint64_t seed,
                        std::shared_ptr<Collector> collector, std::size_t texts = 1) const {
    return {.model = model_,
            .reading = prompt,
            .length = length,
            .texts = texts,
            .sampling = {.temperature = 0.9F, .seed = seed},
            .listener = std::move(collector)};
  }
  [[nodiscard]] std::shared_ptr<Collector> collector(std::size_t texts = 1) const {
    return std::make_shared<Collector>(model_, texts);
  }
  [[nodiscard]] std::string alone(const std::vector<std::int32_t>& prompt, int length, std::uint64_t seed) const {
    return generate::generate_text(*model_, prompt, length, {.temperature = 0.9F, .seed = seed});
  }

  std::shared_ptr<const model::Model> model_ = tiny_model();
  const std::vector<std::int32_t> kPrompt{1, 2, 6, 7};
};

TEST_F(EngineTest, ATextDoesNotDependOnWhatSharesItsSteps) {
  Engine engine({.threads = 1});
  std::vector<std::shared_ptr<Collector>> collectors;
  constexpr int kTexts = 12;
  for (int i = 0; i < kTexts; ++i) {  // they join one after the other, and leave at different times
    collectors.push_back(collector());
    ASSERT_TRUE(engine.submit(job(kPrompt, 10 + 7 * (i % 4), static_cast<std::uint64_t>(i), collectors.back())));
    for (int step = 0; step < i % 5; ++step) engine.step();
  }
  while (engine.step()) {}
  for (int i = 0; i < kTexts; ++i) {
    const Collector& written = *collectors[static_cast<std::size_t>(i)];
    EXPECT_EQ(written.texts[0], alone(kPrompt, 10 + 7 * (i % 4), static_cast<std::uint64_t>(i))) << i;
    EXPECT_EQ(written.ends_of[0], End::length);
  }
  EXPECT_EQ(engine.statistics().read, kTexts * kPrompt.size());
}

TEST_F(EngineTest, SeveralTextsAreTheSamplesOfTheirSeed) {
  Engine engine({.threads = 1});
  const auto several = collector(3);
  ASSERT_TRUE(engine.submit(job(kPrompt, 30, 5, several, 3)));
  while (engine.step()) {}
  std::vector<std::string> expected(3);
  generate::generate(*model_, kPrompt, 30, 3, {.temperature = 0.9F, .seed = 5}, [&](int i, const std::string& c) {
    expected[static_cast<std::size_t>(i)] += c;
    return true;
  });
  EXPECT_EQ(several->texts, expected);
  EXPECT_EQ(engine.statistics().read, kPrompt.size()) << "the prompt is read once";
}

TEST_F(EngineTest, ASnapshotGoesOnAsIfAllHadBeenReadAgain) {
  Engine engine({.threads = 1});
  const auto first = collector();
  Job begin = job(kPrompt, 9, 1, first);
  begin.keeps_snapshot = true;
  ASSERT_TRUE(engine.submit(std::move(begin)));
  while (engine.step()) {}
  ASSERT_NE(first->snapshot, nullptr);

  std::vector<std::int32_t> all = kPrompt;
  const auto written = model_->vocabulary.encode(first->texts[0], text::Unknown::error, "");
  all.insert(all.end(), written.begin(), written.end());
  for (const bool with_prompt : {false, true}) {
    const std::vector<std::int32_t> more = with_prompt ? std::vector<std::int32_t>{3, 4} : std::vector<std::int32_t>{};
    const auto second = collector(2);
    Job go_on = job(more, 20, 8, second, 2);
    go_on.from = first->snapshot;
    ASSERT_TRUE(engine.submit(std::move(go_on)));
    while (engine.step()) {}
    std::vector<std::int32_t> prompt = all;
    prompt.insert(prompt.end(), more.begin(), more.end());
    EXPECT_EQ(second->texts[0], alone(prompt, 20, 8));
    EXPECT_NE(second->texts[1], second->texts[0]);
  }
}

TEST_F(EngineTest, AListenerMayHaveEnoughAndTheSnapshotHoldsWhatItHas) {
  Engine engine({.threads = 1});
  const auto stopped = collector();
  stopped->enough = 6;
  Job begin = job(kPrompt, 100, 2, stopped);
  begin.keeps_snapshot = true;
  ASSERT_TRUE(engine.submit(std::move(begin)));
  while (engine.step()) {}
  EXPECT_EQ(stopped->ends_of[0], End::stop);
  EXPECT_TRUE(alone(kPrompt, 100, 2).starts_with(stopped->texts[0]));
  EXPECT_LT(stopped->texts[0].size(), 10U);
  ASSERT_NE(stopped->snapshot, nullptr);
}

TEST_F(EngineTest, ReportsWhatWasExpectedOfThePrompt) {
  Engine engine({.threads = 1});
  const auto reader = collector();
  Job read = job(kPrompt, 0, 1, reader);
  read.reports_reading = true;
  ASSERT_TRUE(engine.submit(std::move(read)));
  while (engine.step()) {}
  EXPECT_EQ(reader->reported, (std::vector<std::size_t>{1, 2, 3})) << "nothing is expected before the first";
  EXPECT_EQ(reader->ends_of[0], End::length);
  EXPECT_EQ(reader->texts[0], "");
}

TEST_F(EngineTest, NobodyWorksForWhoHasGone) {
  Engine engine({.threads = 1});
  const auto gone = collector();
  const auto stays = collector();
  ASSERT_TRUE(engine.submit(job(kPrompt, 1000, 1, gone)));
  ASSERT_TRUE(engine.submit(job(kPrompt, 20, 2, stays)));
  for (int i = 0; i < 8; ++i) engine.step();
  gone->is_wanted = false;
  const std::size_t written = gone->texts[0].size();
  while (engine.step()) {}
  EXPECT_EQ(gone->texts[0].size(), written);
  EXPECT_EQ(gone->ends_of[0], std::nullopt);
  EXPECT_EQ(stays->texts[0], alone(kPrompt, 20, 2));
}

TEST_F(EngineTest, TheQueueIsBoundedAndGivesRoomWhenClientsLeave) {
  Engine engine({.threads = 1, .texts = 2, .queue = 2});
  const auto one = collector();
  const auto other = collector();
  EXPECT_TRUE(engine.submit(job(kPrompt, 5, 1, one)));
  EXPECT_TRUE(engine.submit(job(kPrompt, 5, 2, other)));
  EXPECT_FALSE(engine.submit(job(kPrompt, 5, 3, collector())));
  one->is_wanted = false;
  const auto late = collector();
  EXPECT_TRUE(engine.submit(job(kPrompt, 5, 3, late)));
  while (engine.step()) {}
  EXPECT_EQ(late->texts[0], alone(kPrompt, 5, 3));
  EXPECT_EQ(engine.statistics().waiting, 0U);
}

TEST_F(EngineTest, NoMoreTextsThanAllowedAreWrittenAtOnce) {
  Engine engine({.threads = 1, .texts = 4, .queue = 100});
  std::vector<std::shared_ptr<Collector>> collectors;
  for (std::uint64_t i = 0; i < 6; ++i) {
    collectors.push_back(collector(3));
    ASSERT_TRUE(engine.submit(job(kPrompt, 8, i, collectors.back(), 3)));
  }
  while (engine.step()) EXPECT_LE(engine.statistics().texts, 4U);
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(collectors[i]->texts[0], alone(kPrompt, 8, i));
  EXPECT_THROW(static_cast<void>(engine.submit(job(kPrompt, 8, 1, collector(5), 5))), InputError);
  EXPECT_THROW(static_cast<void>(engine.submit(job({}, 8, 1, collector()))), InputError);
}

TEST_F(EngineTest, TwoModelsWorkSideBySide) {
  Engine engine({.threads = 1});
  const auto other_model = tiny_model(text::Vocabulary(U"\nxyz"));
  const auto one = collector();
  const auto other = std::make_shared<Collector>(other_model);
  ASSERT_TRUE(engine.submit(job(kPrompt, 12, 1, one)));
  Job foreign = job({1, 2}, 12, 1, other);
  foreign.model = other_model;
  ASSERT_TRUE(engine.submit(std::move(foreign)));
  while (engine.step()) {}
  EXPECT_EQ(one->texts[0], alone(kPrompt, 12, 1));
  EXPECT_EQ(other->texts[0], generate::generate_text(*other_model, std::vector<std::int32_t>{1, 2}, 12,
                                                     {.temperature = 0.9F, .seed = 1}));
}

TEST_F(EngineTest, ARecordEndsAtItsSymbol) {
  const auto records = tiny_model(text::Vocabulary({.entries = {"a", "b", name_of(text::Symbol::end)}}));
  Engine engine({.threads = 1});
  const auto reader = std::make_shared<Collector>(records);
  Job record = job({0}, 500, 3, reader);
  record.model = records;
  ASSERT_TRUE(engine.submit(std::move(record)));
  while (engine.step()) {}
  EXPECT_EQ(reader->ends_of[0], End::symbol);
  EXPECT_EQ(reader->texts[0].find('<'), std::string::npos);
}

TEST_F(EngineTest, WorksOnAThreadOfItsOwnAndFailsWhatIsLeft) {
  const auto done = collector();
  const auto endless = collector();
  {
    Engine engine({.threads = 2});
    engine.start();
    ASSERT_TRUE(engine.submit(job(kPrompt, 50, 1, done)));
    ASSERT_TRUE(engine.submit(job(kPrompt, 1'000'000'000, 2, endless)));
    while (engine.statistics().written < 200) std::this_thread::yield();
  }
  EXPECT_EQ(done->texts[0], alone(kPrompt, 50, 1));
  EXPECT_THAT(endless->failure, HasSubstr("shutting down"));
}

}  // namespace
}  // namespace rune::server
