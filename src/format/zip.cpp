#include "format/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>  // NOLINT(modernize-deprecated-headers): uselocale is no part of C++

#include <array>
#include <memory>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "format/quote.h"

namespace rune::format {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

// libarchive reads names by this thread's locale, which is otherwise C. Where there is no C.UTF-8, names outside ASCII
// are refused.
class Utf8Names {
 public:
  Utf8Names() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = uselocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

// Reads through libarchive; nothing is allocated by what a header says, only by what has been unpacked.
class ZipReader {
 public:
  ZipReader(std::string_view bytes, const std::string& name)
      : name_(name), left_(kMaxZipExpansion * bytes.size()), archive_(archive_read_new(), archive_read_free) {
    archive* const zip = archive_.get();
    if (zip == nullptr) throw std::bad_alloc();
    require(archive_read_support_format_zip_seekable(zip));
    require(archive_read_open_memory(zip, bytes.data(), bytes.size()));
  }

  std::map<std::string, std::string> read() {
    std::map<std::string, std::string> files;
    archive_entry* entry = nullptr;
    for (;;) {
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) return files;
      require(status);
      const char* const path = archive_entry_pathname(entry);
      if (path == nullptr) fail("the name of an entry is damaged");
      if (archive_entry_filetype(entry) == AE_IFDIR) continue;
      if (archive_entry_filetype(entry) != AE_IFREG) fail(fmt::format("entry {} is not a file", quote(path)));
      if (archive_entry_is_encrypted(entry) != 0) fail(fmt::format("entry {} is encrypted", quote(path)));
      if (files.contains(path)) fail(fmt::format("entry {} occurs twice", quote(path)));
      files.emplace(path, content(path));
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("'{}' is not a zip archive that can be read: {}", name_, what));
  }

  // A warning is about what the archive says of times and owners.
  void require(int status) const {
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail(cause());
  }

  [[nodiscard]] std::string cause() const {
    const char* const text = archive_error_string(archive_.get());
    return text == nullptr ? "it is damaged" : text;
  }

  std::string content(const std::string& path) {
    std::string content;
    std::array<char, kBlock> block;
    for (;;) {
      const auto size = archive_read_data(archive_.get(), block.data(), block.size());
      if (size < 0) fail(fmt::format("entry {}: {}", quote(path), cause()));  // a wrong CRC is a mere warning there
      if (size == 0) return content;
      const auto count = static_cast<std::size_t>(size);
      if (count > left_) {
        fail(fmt::format("its contents, at entry {}, are more than {} times as long as the archive", quote(path),
                         kMaxZipExpansion));
      }
      left_ -= count;
      content.append(block.data(), count);
    }
  }

  const std::string& name_;
  std::size_t left_;  // bytes that may still be unpacked
  Archive archive_;
};

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

std::map<std::string, std::string> read_zip(std::string_view bytes, const std::string& name) {
  const Utf8Names names;
  return ZipReader(bytes, name).read();
}

}  // namespace rune::format
