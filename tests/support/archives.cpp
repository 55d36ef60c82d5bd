#include "support/archives.h"

#include <archive.h>
#include <archive_entry.h>

#include <stdexcept>

namespace rune::test {

std::string zip(const std::vector<std::pair<std::string, std::string>>& files, const char* compression) {
  constexpr std::size_t kHeaders = 1024;  // of one file, and of the archive, with room to spare
  std::size_t room = kHeaders;
  for (const auto& [path, content] : files) room += kHeaders + 2 * path.size() + 2 * content.size();
  std::string bytes(room, '\0');
  std::size_t used = 0;
  archive* const writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_set_format_option(writer, "zip", "compression", compression);
  archive_write_set_bytes_in_last_block(writer, 1);
  bool good = archive_write_open_memory(writer, bytes.data(), bytes.size(), &used) == ARCHIVE_OK;
  for (const auto& [path, content] : files) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, static_cast<std::int64_t>(content.size()));
    good = good && archive_write_header(writer, entry) == ARCHIVE_OK &&
           archive_write_data(writer, content.data(), content.size()) >= 0;
    archive_entry_free(entry);
  }
  good = archive_write_close(writer) == ARCHIVE_OK && good;
  archive_write_free(writer);
  if (!good) throw std::runtime_error("could not make a zip archive");
  return bytes.substr(0, used);
}

}  // namespace rune::test
