#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "text/corpus.h"

namespace rune::text {

/// Whether a corpus is encoded into a file of the cache, from where training reads it without holding it in memory.
enum class Cache {
  automatic,  ///< if its files are larger than 128 megabytes
  always,
  never,
};

/// Where such files lie: $XDG_CACHE_HOME/rune, else ~/.cache/rune.
std::filesystem::path cache_directory();

/// As Corpus::read, by way of the cache. A file of it is named after all that decides its content, checked when it is
/// read, and made anew where it is damaged; one that could not be finished is never taken for whole. `on_progress` is
/// told the share that has been read.
Corpus read_by_cache(const Sources& sources, const TextOptions& options, std::optional<Vocabulary> vocabulary,
                     const std::filesystem::path& directory, const std::function<void(double)>& on_progress = {});

}  // namespace rune::text
