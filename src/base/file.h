#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace rune {

/// The whole content of a regular file. Throws FileError with path and cause.
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` as a whole or not at all: the parts, one after the other, go to a temporary file beside it, which
/// is synced and renamed over `path`; then the directory is synced. A failed sync is never retried. On failure the
/// old file is untouched, the temporary is removed, and a FileError names the file and the cause.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::string_view> parts);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace rune
