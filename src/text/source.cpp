#include "text/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <memory>
#include <new>
#include <vector>

#include <rune/error.h>

#include "base/file.h"
#include "base/mapping.h"
#include "base/spool.h"

namespace rune::text {
namespace {

namespace fs = std::filesystem;

using Visit = std::function<void(const Document&)>;

constexpr std::size_t kMapped = std::size_t{1} << 26;  // bytes from which on a text is mapped, not held
constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kUsualExpansion = 4;
constexpr std::size_t kLargeExpansion = 40;   // of logs and the like
constexpr std::size_t kMostExpansion = 1000;  // of what is compressed: no text shrinks so far

struct Signature {
  std::size_t offset;
  std::string_view bytes;
};
constexpr std::array<Signature, 8> kPacked{{{0, "\x1f\x8b"},            // gzip
                                            {0, "BZh"},                 // bzip2
                                            {0, {"\xfd\x37zXZ\0", 6}},  // xz
                                            {0, "\x28\xb5\x2f\xfd"},    // zstd
                                            {0, "\x04\x22\x4d\x18"},    // lz4
                                            {0, "PK\x03\x04"},          // zip
                                            {0, "7z\xbc\xaf\x27\x1c"},  // 7z
                                            {257, "ustar"}}};           // tar

bool is_packed(std::string_view bytes) {
  return std::ranges::any_of(kPacked, [&](const Signature& signature) {
    return bytes.size() > signature.offset && bytes.substr(signature.offset).starts_with(signature.bytes);
  });
}

bool begins_packed(const fs::path& path) {
  std::array<char, 512> begin{};
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), begin.size());
  return is_packed({begin.data(), static_cast<std::size_t>(file.gcount())});
}

bool is_wanted(const fs::path& path, const std::string& include) {
  const std::string name = path.filename().string();
  return !name.starts_with('.') && (include.empty() || ::fnmatch(include.c_str(), name.c_str(), 0) == 0);
}

class Archive {
 public:
  Archive(std::string_view bytes, std::string name)
      : archive_(archive_read_new(), &archive_read_free),
        name_(std::move(name)),
        left_(kMapped + kMostExpansion * bytes.size()) {
    if (archive_ == nullptr) throw std::bad_alloc();
    archive_read_support_filter_all(archive_.get());
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_zip(archive_.get());
    archive_read_support_format_7zip(archive_.get());
    archive_read_support_format_raw(archive_.get());  // something compressed that is no archive
    require(archive_read_open_memory(archive_.get(), bytes.data(), bytes.size()));
  }

  void visit_files(const std::string& include, const Visit& visit) {
    for (archive_entry* entry = nullptr; next(entry);) {
      if (archive_entry_filetype(entry) != AE_IFREG) continue;
      const char* const path = archive_entry_pathname_utf8(entry);
      const bool alone = archive_format(archive_.get()) == ARCHIVE_FORMAT_RAW;
      if (!alone && (path == nullptr || !is_wanted(path, include))) continue;
      Spool content(kMapped);
      read(content);
      visit({alone ? name_ : name_ + "/" + path, content.bytes()});
    }
  }

 private:
  bool next(archive_entry*& entry) {
    const int result = archive_read_next_header(archive_.get(), &entry);
    if (result == ARCHIVE_EOF) return false;
    require(result);
    return true;
  }

  void read(Spool& content) {
    std::string block(kBlock, '\0');
    for (;;) {
      const la_ssize_t count = archive_read_data(archive_.get(), block.data(), block.size());
      if (count == 0) return;
      if (count < 0) require(static_cast<int>(count));
      const auto size = static_cast<std::size_t>(std::max<la_ssize_t>(count, 0));
      if (size > left_) {
        throw InputError("'" + name_ + "': expected a text that unpacks to at most " + std::to_string(kMostExpansion) +
                         " times its size, found a longer one; unpack it yourself");
      }
      left_ -= size;
      content.append(std::string_view(block).substr(0, size));
    }
  }

  void require(int result) const {
    if (result >= ARCHIVE_WARN) return;
    const char* const cause = archive_error_string(archive_.get());
    throw InputError("'" + name_ + "': expected an archive or a compressed file, found a damaged one: " +
                     (cause == nullptr ? "it cannot be unpacked" : cause));
  }

  std::unique_ptr<struct archive, decltype(&archive_read_free)> archive_;
  std::string name_;
  std::size_t left_;  // bytes that may still be unpacked
};

void visit_bytes(std::string_view bytes, const std::string& name, const std::string& include, const Visit& visit) {
  if (is_packed(bytes)) {
    Archive(bytes, name).visit_files(include, visit);
  } else {
    visit({name, bytes});
  }
}

void visit_standard_input(const std::string& include, const Visit& visit) {
  Spool input(kMapped);
  for (std::string block(kBlock, '\0'); std::cin;) {
    std::cin.read(block.data(), static_cast<std::streamsize>(block.size()));
    input.append(std::string_view(block).substr(0, static_cast<std::size_t>(std::cin.gcount())));
  }
  visit_bytes(input.bytes(), "standard input", include, visit);
}

void visit_file(const fs::path& path, const std::string& include, const Visit& visit) {
  std::error_code error;
  const std::uintmax_t size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  if (!error && size >= kMapped) {
    const Mapping mapping = Mapping::open(path);
    visit_bytes(mapping.bytes(), path.string(), include, visit);
  } else {
    visit_bytes(FileContent::read(path).bytes(), path.string(), include, visit);
  }
}

std::vector<fs::path> files_below(const fs::path& directory, const std::string& include) {
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(directory); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && entry->path().filename().string().starts_with('.')) entry.disable_recursion_pending();
    if (entry->is_regular_file() && is_wanted(entry->path(), include)) files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

void for_documents(std::span<const fs::path> paths, const std::string& include, const Visit& visit) {
  std::size_t found = 0;
  const Visit count = [&](const Document& document) {
    ++found;
    visit(document);
  };
  std::string names;
  for (const fs::path& path : paths) {
    names += (names.empty() ? "'" : ", '") + path.string() + "'";
    if (path == "-") {
      visit_standard_input(include, count);
    } else if (fs::is_directory(path)) {
      for (const fs::path& file : files_below(path, include)) visit_file(file, include, count);
    } else {
      visit_file(path, include, count);
    }
  }
  if (found > 0) return;
  throw InputError("expected text, found " +
                   (names.empty()
                        ? "no files"
                        : "no file in " + names + (include.empty() ? "" : " that matches '" + include + "'")));
}

std::uintmax_t size_of(std::span<const fs::path> paths, Packed packed) {
  const std::size_t expansion = packed == Packed::usual ? kUsualExpansion : kLargeExpansion;
  std::uintmax_t size = 0;
  const auto add = [&](const fs::path& path) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(path, error);
    if (!error) size += bytes * (begins_packed(path) ? expansion : 1);
  };
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      add(path);
      continue;
    }
    for (const fs::path& file : files_below(path, "")) add(file);
  }
  return size;
}

}  // namespace rune::text
