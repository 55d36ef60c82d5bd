#include "text/token_store.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <rune/error.h>

namespace rune::text {

TokenStore::TokenStore(std::filesystem::path file) : path_(std::move(file)), file_(path_, std::ios::binary) {
  if (!file_) throw FileError("could not create '" + path_.string() + "': " + std::generic_category().message(errno));
}

void TokenStore::expect(std::size_t count) {
  constexpr std::size_t kMost = std::size_t{1}
                                << 27;  // what is reserved and not used costs nothing; more may be refused
  if (in_memory()) tokens_.reserve(std::min(count, kMost));
}

void TokenStore::flush() {
  file_.write(reinterpret_cast<const char*>(tokens_.data()),
              static_cast<std::streamsize>(tokens_.size() * sizeof(std::int32_t)));
  file_.flush();
  if (!file_) throw FileError("could not write '" + path_.string() + "': " + std::generic_category().message(errno));
  flushed_ += tokens_.size();
  tokens_.clear();
}

std::span<std::int32_t> TokenStore::all() {
  if (in_memory()) return tokens_;
  if (mapping_ == nullptr) {
    flush();
    file_.close();
    mapping_ = std::make_shared<Mapping>(Mapping::open_to_change(path_));
  }
  return {reinterpret_cast<std::int32_t*>(mapping_->mutable_bytes().data()), flushed_};
}

Tokens TokenStore::finish(std::size_t size) {
  const std::span<std::int32_t> tokens = all();
  if (!in_memory()) return {tokens.first(size), mapping_};
  tokens_.resize(size);
  return {std::move(tokens_)};
}

}  // namespace rune::text
