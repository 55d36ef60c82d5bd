#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rune::format {

/// The files of a zip archive by their paths, stored or deflated, each checked against its CRC. Folders are left out.
/// All contents together take at most kMaxZipExpansion times the archive's size; an archive that would need more is
/// refused as soon as it has come that far, whatever its headers claim. Throws InputError naming `name` and the entry
/// for damage, two entries of one path, encryption, links and other methods.
std::map<std::string, std::string> read_zip(std::string_view bytes, const std::string& name);

/// Weights hardly compress, and what describes them is small beside them: real checkpoints stay below 2.
inline constexpr std::size_t kMaxZipExpansion = 4;

/// Whether a file starts as a zip archive does.
bool is_zip(std::string_view bytes);

}  // namespace rune::format
