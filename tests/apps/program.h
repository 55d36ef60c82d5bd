#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "format/safetensors.h"

namespace rune::test {

struct Result {
  int exit_code = -1;  // 128 + the signal's number if one ended it, as a shell says it
  std::string out;
  std::string err;
};

/// A folder of its own for each test, where the real program runs.
class ProgramTest : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rune-program-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// Starts the program in the folder, with standard input from a file, and signals as a shell would give them.
  pid_t start(const Arguments& arguments, const std::string& input = "/dev/null",
              const std::string& output = "out") const {
    std::vector<char*> argv{const_cast<char*>(RUNE_PROGRAM)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child != 0) return child;
    if (chdir(folder_.c_str()) != 0) _exit(126);
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);  // not the user's
    const auto redirect = [](int descriptor, const char* file, int flags) {
      if (dup2(open(file, flags, 0600), descriptor) < 0) _exit(126);
    };
    redirect(STDIN_FILENO, input.c_str(), O_RDONLY);
    redirect(STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, "err", O_WRONLY | O_CREAT | O_TRUNC);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_DFL);
    execv(RUNE_PROGRAM, argv.data());
    _exit(126);
  }
  [[nodiscard]] Result wait(pid_t child) const {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read("out"), read("err")};
  }
  [[nodiscard]] Result run(const Arguments& arguments, const std::string& input = "/dev/null") const {
    return wait(start(arguments, input));
  }

  /// Trains a tiny model on a file; `more` is added to the options and wins over them.
  [[nodiscard]] static Arguments training(const std::string& text, const std::string& run, const Arguments& more = {}) {
    Arguments arguments{"train",    text, "-o",           run, "--hidden-size",     "24",
                        "--layers", "1",  "--batch-size", "4", "--sequence-length", "16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  /// The lines of metrics.jsonl without what depends on the clock.
  [[nodiscard]] std::vector<nlohmann::json> metrics(const std::string& run) const {
    std::vector<nlohmann::json> lines;
    std::ifstream file(path(run + "/metrics.jsonl"));
    for (std::string line; std::getline(file, line);) {
      lines.push_back(nlohmann::json::parse(line));
      lines.back().erase("seconds");
      lines.back().erase("characters_per_second");
    }
    return lines;
  }

  /// Whether two checkpoints agree in every tensor's bytes, and in all metadata that does not come from the clock.
  [[nodiscard]] testing::AssertionResult same_checkpoint(const std::string& one, const std::string& other) const {
    const auto a = format::SafetensorsFile::read(path(one));
    const auto b = format::SafetensorsFile::read(path(other));
    if (a.tensors().size() != b.tensors().size()) return testing::AssertionFailure() << "other tensors";
    for (const format::TensorView& tensor : a.tensors()) {
      const format::TensorView* twin = b.find(tensor.name);
      if (twin == nullptr || !std::ranges::equal(tensor.data, twin->data))
        return testing::AssertionFailure() << tensor.name;
    }
    const auto metadata = [](const format::SafetensorsFile& file) {
      nlohmann::json json = file.metadata();
      json["rune.train"] = nlohmann::json::parse(file.meta("rune.train"));
      json.erase("rune.config");  // has what may differ, as the number of threads
      for (const char* key : {"seconds", "reported_seconds", "training_seconds"}) json["rune.train"].erase(key);
      return json;
    };
    if (metadata(a) != metadata(b)) return testing::AssertionFailure() << metadata(a) << "\n" << metadata(b);
    return testing::AssertionSuccess();
  }

  /// Waits until the run has written `count` lines of metrics.
  void await_metrics(const std::string& run, std::size_t count) const {
    using Clock = std::chrono::steady_clock;
    for (const auto start = Clock::now(); Clock::now() - start < std::chrono::seconds(60);) {
      const std::string content = read(run + "/metrics.jsonl");
      if (static_cast<std::size_t>(std::ranges::count(content, '\n')) >= count) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    FAIL() << "no metrics in " << run;
  }

 private:
  std::filesystem::path folder_;
};

/// Sentences of random words, letters outside ASCII among them.
inline std::string sentences(int words, std::uint64_t seed = 1) {
  const std::vector<std::string> dictionary{"the", "rain", "came", "über", "hills", "and", "naïve", "sea", "slept"};
  const RandomStream random(seed, RandomPurpose::shuffle);
  std::string text;
  for (int i = 0; i < words; ++i) {
    const std::uint32_t bits = random.bits(static_cast<std::uint64_t>(i));
    text += dictionary[bits % dictionary.size()] + (bits % 11 == 0 ? ".\n" : " ");
  }
  return text;
}

inline std::size_t count_characters(const std::string& utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace rune::test
