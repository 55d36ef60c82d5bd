#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "train/config.h"

namespace rune::train {

/// A run directory and the names of the files in it:
///   config.toml metrics.jsonl samples.txt best.safetensors last.safetensors cycle-<n>.safetensors log.txt
/// Owns nothing but the path; creating one never overwrites an existing one.
class RunDirectory {
 public:
  /// Creates the directory (parents too) and writes config.toml. Throws FileError if the path exists.
  static RunDirectory create(const std::filesystem::path& path, const RunConfig& config);
  /// Opens an existing one. Throws InputError if it holds no config.toml.
  static RunDirectory open(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path config() const { return path_ / "config.toml"; }
  [[nodiscard]] std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path samples() const { return path_ / "samples.txt"; }
  [[nodiscard]] std::filesystem::path best() const { return path_ / "best.safetensors"; }
  [[nodiscard]] std::filesystem::path last() const { return path_ / "last.safetensors"; }
  [[nodiscard]] std::filesystem::path cycle(std::int64_t number) const;  // cycle-1.safetensors
  [[nodiscard]] std::filesystem::path log() const { return path_ / "log.txt"; }
  [[nodiscard]] RunConfig read_config() const;
  void write_config(const RunConfig& config) const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// MODEL on the command line: a .safetensors file, or a run directory (its best checkpoint, or `last` without
/// validation).
std::filesystem::path resolve_model(const std::filesystem::path& path);

}  // namespace rune::train
