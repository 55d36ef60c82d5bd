#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "train/config.h"

namespace rune::train {

/// A run directory and the names of the files in it:
///   config.toml metrics.jsonl samples.txt best.safetensors last.safetensors step-<n>[-<loss>].safetensors
///   cycle-<n>.safetensors damaged.safetensors log.txt corpus.txt lock
/// Creating one never overwrites an existing one. One that was created or locked belongs to one trainer alone, until
/// the object and its copies are gone.
class RunDirectory {
 public:
  /// Creates the directory (parents too), locks it and writes config.toml. Throws FileError if the path exists.
  static RunDirectory create(const std::filesystem::path& path, const RunConfig& config);
  /// Opens an existing one. Throws InputError if it holds neither config.toml nor a last checkpoint.
  static RunDirectory open(const std::filesystem::path& path);

  /// Takes it for training, and clears away what a killed process left half-written. Throws FileError naming the
  /// process that has it.
  void lock();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path config() const { return path_ / "config.toml"; }
  [[nodiscard]] std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path samples() const { return path_ / "samples.txt"; }
  [[nodiscard]] std::filesystem::path best() const { return path_ / "best.safetensors"; }
  [[nodiscard]] std::filesystem::path last() const { return path_ / "last.safetensors"; }
  [[nodiscard]] std::filesystem::path cycle(std::int64_t number) const;  // cycle-1.safetensors
  [[nodiscard]] std::filesystem::path log() const { return path_ / "log.txt"; }
  /// Where a damaged last.safetensors is put aside.
  [[nodiscard]] std::filesystem::path damaged() const { return path_ / "damaged.safetensors"; }
  /// A copy of a text that came from no file.
  [[nodiscard]] std::filesystem::path corpus() const { return path_ / kCorpusName; }
  static constexpr const char* kCorpusName = "corpus.txt";

  /// Of a checkpoint that is no longer the last: step-1200-1.3456.safetensors.
  [[nodiscard]] std::filesystem::path older(std::int64_t step, std::optional<double> validation_loss) const;
  /// Those there are, the newest first.
  [[nodiscard]] std::vector<std::filesystem::path> older_checkpoints() const;
  /// Removes all but the newest so many.
  void drop_older_checkpoints(int keep) const;

  /// Of config.toml; where that is missing, of the last checkpoint.
  [[nodiscard]] RunConfig read_config() const;
  void write_config(const RunConfig& config) const;
  /// As config.toml has it.
  [[nodiscard]] std::string to_text(const RunConfig& config) const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  std::shared_ptr<const FileLock> lock_;
};

/// MODEL on the command line: a .safetensors file, or a run directory (its best checkpoint, or `last` without
/// validation).
std::filesystem::path resolve_model(const std::filesystem::path& path);

}  // namespace rune::train
