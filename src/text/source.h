#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rune::text {

/// A file of a text, as it lies on the disk or in an archive.
struct Document {
  std::string name;
  std::string_view bytes;  // valid during the visit
};

/// Calls visit(document) for every file that the paths lead to: files as they are given, "-" for standard input,
/// those in directories and below, in the order of their names, those in archives (tar, zip, 7z) in the order in
/// which they lie there, and what is compressed (gzip, bzip2, xz, zstd, lz4) unpacked. Of directories and archives
/// those alone whose name matches the pattern `include` ("*.txt"), if there is one, and none whose name begins with a
/// dot. Large files are mapped, not read; what is unpacked or comes from standard input is held in memory only while
/// it is small. Throws FileError, or InputError where nothing matches, or an archive is damaged or unpacks to more than
/// a thousand times its size.
void for_documents(std::span<const std::filesystem::path> paths, const std::string& include,
                   const std::function<void(const Document&)>& visit);

/// What a packed file is taken to unpack to: what it usually does, or as much as it may well come to.
enum class Packed { usual, at_most };
/// Bytes of what the paths lead to, as far as it is files; of what is packed a guess.
std::uintmax_t size_of(std::span<const std::filesystem::path> paths, Packed packed = Packed::usual);

}  // namespace rune::text
